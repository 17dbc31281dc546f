/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Random valid states of a machine. A driver's register accesses set the states of the device
 * cores. Random indices, pops and completions set the states of the queues. Ports and connections
 * get random states that the libraries accept.
 */
#ifndef VIRTIO_TESTS_RANDOM_STATE_H
#define VIRTIO_TESTS_RANDOM_STATE_H

#include "machine.h"
#include <virtio/bindings/virtio_config.h>
#include <virtio/endian.h>

/* Returns the next 32 random bits, by SplitMix64 without its last step. Any seed is valid. */
static inline uint32_t random_word(uint64_t *random)
{
	uint64_t x = *random + UINT64_C(0x9e3779b97f4a7c15);

	*random = x;
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(x >> 32);
}

static inline uint32_t random_below(uint64_t *random, uint32_t n)
{
	return random_word(random) % n;
}

static inline bool random_one_in(uint64_t *random, uint32_t n)
{
	return random_below(random, n) == 0;
}

/* Returns the address of an area of a queue. */
static inline uint64_t random_area(uint32_t device, uint32_t queue, enum virtio_queue_area area)
{
	return 0x1000 * (uint64_t)(device * MACHINE_MAX_QUEUES + queue) + 0x400 * (uint64_t)area;
}

/* The driver sets up a queue, perhaps not completely, perhaps with bad values. */
static inline void random_set_up_queue(struct virtio_device *device, uint32_t number, uint32_t queue, uint64_t *random)
{
	device->queue_sel = queue;
	if (random_one_in(random, 3))
		virtio_device_set_queue_size(device, 1u << random_below(random, 6));
	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED; i++) {
		const enum virtio_queue_area area = (enum virtio_queue_area)i;

		if (random_one_in(random, 30))
			continue;
		virtio_device_set_queue_addr_low(
			device, area, (uint32_t)random_area(number, queue, area) + random_one_in(random, 30));
		if (random_one_in(random, 30))
			virtio_device_set_queue_addr_high(device, area, random_word(random));
	}
	if (!random_one_in(random, 6))
		(void)!virtio_device_enable_queue(device, 1);
}

/* The driver initialises a device, and perhaps stops before the last step. */
static inline void random_bring_up(struct machine *m, uint32_t number, uint64_t *random)
{
	struct virtio_device *device = &m->parts[number].device;
	const uint32_t steps = random_one_in(random, 2) ? 5 : random_below(random, 6);
	uint32_t status = VIRTIO_CONFIG_S_ACKNOWLEDGE;

	if (steps >= 1)
		(void)!virtio_device_write_status(device, status);
	status |= VIRTIO_CONFIG_S_DRIVER;
	if (steps >= 2) {
		(void)!virtio_device_write_status(device, status);
		for (uint32_t i = 0; i < VIRTIO_FEATURE_WORDS; i++)
			virtio_device_accept_features(
				device, i,
				virtio_device_offered_features(device, i) &
					(i == 1 ? ~0u : random_word(random) | random_word(random)));
	}
	status |= VIRTIO_CONFIG_S_FEATURES_OK;
	if (steps >= 3)
		(void)!virtio_device_write_status(device, status);
	for (uint32_t i = 0; i < machine_queues(number) && steps >= 4; i++)
		random_set_up_queue(device, number, i, random);
	status |= VIRTIO_CONFIG_S_DRIVER_OK;
	if (steps >= 5 && virtio_device_status(device) == (status & ~(uint32_t)VIRTIO_CONFIG_S_DRIVER_OK))
		(void)!virtio_device_write_status(device, status);
	device->queue_sel = random_word(random) >> random_below(random, 32);
	device->shm_sel = random_word(random);
	device->device_features_sel = random_word(random) & 3;
	device->driver_features_sel = random_word(random);
	if (random_one_in(random, 4))
		virtio_device_config_changed(device);
	if (device->active && random_one_in(random, 8)) {
		device->queue_sel = random_below(random, machine_queues(number));
		(void)!virtio_device_reset_queue(device, 1);
	}
}

/*
 * The driver makes `count` buffers available in a queue that has just started. The available index
 * of the first buffer is `first`.
 */
static inline void random_offer(struct machine *m, uint32_t number, uint32_t queue, uint16_t first, uint32_t count)
{
	const struct virtio_queue *q = &m->parts[number].queues[queue];
	uint8_t *desc = m->ram + random_area(number, queue, VIRTIO_QUEUE_DESC);
	uint8_t *avail = m->ram + random_area(number, queue, VIRTIO_QUEUE_AVAIL);
	const uint32_t spread = first * 5u;

	for (uint32_t i = 0; i < count; i++) {
		const uint32_t head = (spread + 3 * i) % q->size;

		/*
		 * Each buffer has 16 bytes: readable in queues with an odd index, writable in other
		 * queues.
		 */
		virtio_put_le64(desc + 16 * (size_t)head, 0x18000 + 64 * (uint64_t)head);
		virtio_put_le32(desc + 16 * (size_t)head + 8, 16);
		virtio_put_le16(desc + 16 * (size_t)head + 12, queue & 1 ? 0 : 2);
		virtio_put_le16(desc + 16 * (size_t)head + 14, 0);
		virtio_put_le16(avail + 4 + 2 * (size_t)((first + i) % q->size), (uint16_t)head);
	}
	virtio_put_le16(avail, 0);
	virtio_put_le16(avail + 2, (uint16_t)(first + count));
}

/* Brings a running queue to a random position, with available requests and requests in flight. */
static inline void random_queue(struct machine *m, uint32_t number, uint32_t queue, uint64_t *random)
{
	struct machine_part *part = &m->parts[number];
	struct virtio_queue *q = &part->queues[queue];
	const uint16_t first = (uint16_t)random_word(random);
	uint32_t offered, left;

	if (q->size == 0)
		return;
	MUST(virtio_queue_set_next_avail(q, first) == 0 && virtio_queue_set_next_used(q, first) == 0);
	/*
	 * random_offer() advances by 3 from head to head. Up to q->size heads are different,
	 * because 3 is odd and the size is a power of two.
	 */
	offered = random_below(random, q->size + 1);
	random_offer(m, number, queue, first, offered);
	if (number == MACHINE_CONSOLE)
		return;
	(void)machine_hold(m, number, queue, random_below(random, q->size + 1));
	for (left = part->held_count[queue]; left > 0; left--) {
		struct virtio_chain *last = &part->held[queue][part->held_count[queue] - 1];
		const uint32_t at = random_below(random, part->held_count[queue]);
		struct virtio_chain *one = &part->held[queue][at];

		if (!random_one_in(random, 3))
			continue;
		MUST(virtio_queue_complete(q, one->token, random_below(random, 17)) == 0);
		memmove(one, one + 1, (size_t)((uint8_t *)last - (uint8_t *)one));
		part->held_count[queue]--;
	}
}

static inline void random_console(struct machine *m, uint64_t *random)
{
	for (uint32_t i = 0; i < MACHINE_PORTS; i++) {
		/*
		 * The states that are tried for a port come from a sequence of their own. So the
		 * number of refused states does not change the later numbers from `random`.
		 */
		uint64_t tried = random_word(random);
		uint8_t bytes[MACHINE_INPUT];
		bool wake;

		for (uint32_t k = 0; k < sizeof bytes; k++)
			bytes[k] = (uint8_t)random_word(random);
		if (random_one_in(random, 2))
			(void)!virtio_console_input_enqueue(&m->inputs[i], bytes, 1 + random_below(random, 64), &wake);
		for (int tries = 0; tries < 20; tries++) {
			const struct virtio_console_port_state port = {
				.id = i,
				.flags = (uint8_t)(16 | (i == 0 ? 32 : 0) | (random_word(&tried) & 0xc7)),
				.pending = (uint8_t)(random_word(&tried) & random_word(&tried) & 0x7f),
				.cols = (uint16_t)random_word(&tried),
				.rows = (uint16_t)random_word(&tried),
			};

			if (virtio_console_restore_port(&m->console, &port) == 0)
				break;
		}
		/* Transmits the driver's chains until the sink is full. */
		if (virtio_device_queues_running(&m->parts[MACHINE_CONSOLE].device, (uint16_t)(i ? 5 : 1))) {
			struct virtio_console_progress progress;

			m->output_room = random_below(random, 100);
			(void)!virtio_console_transmit(&m->console, i, &m->parts[MACHINE_CONSOLE].queues[i ? 5 : 1],
						       &progress);
		}
	}
	m->console.driver_ready = (m->console.negotiated & 2) && random_one_in(random, 2);
}

static inline void random_sockets(struct machine *m, uint64_t *random)
{
	struct virtio_vsock_connection *c;

	for (uint32_t i = 0; i < 200; i++) {
		struct virtio_vsock_connection_state s = {
			/*
			 * At most one connection of each port is kept, so addresses ascend, as in a
			 * saved state.
			 */
			.address = { 2, 1000 + i / 50, MACHINE_GUEST_CID, random_below(random, 3) },
			.type = (uint16_t)(1 + random_below(random, 2)),
			.state = (uint8_t)(1 + random_below(random, 5)),
			.shut_by_us = (uint8_t)(random_one_in(random, 3) ? random_below(random, 4) : 0),
			.shut_by_peer = (uint8_t)(random_one_in(random, 3) ? random_below(random, 4) : 0),
			.pending = random_word(random) & random_word(random) & 0x7f & ~32u,
			.buf_alloc = 4096 + random_below(random, 3),
			.fwd_cnt = random_word(random),
			.peer_buf_alloc = random_word(random),
			.tx_cnt = random_word(random),
			.tx_packets = random_below(random, 4),
		};

		s.rx_cnt = s.fwd_cnt + random_below(random, 4096);
		s.rx_packets = s.rx_cnt != s.fwd_cnt ? 1 + random_below(random, 60) : 0;
		s.told_fwd_cnt = s.fwd_cnt - random_below(random, 100);
		s.peer_fwd_cnt = s.tx_packets ? s.tx_cnt - random_below(random, 4096) : s.tx_cnt;
		/*
		 * These members were added in version 2 of section vsock, and use no new random
		 * numbers. So each seed still gives the same values of version 1.
		 */
		if (s.type == VIRTIO_VSOCK_TYPE_SEQPACKET && s.state > 2)
			s.message_packets = s.fwd_cnt >> 8 & 3;
		if (s.message_packets != 0)
			s.message_bytes = s.fwd_cnt & 0xfff;
		if (s.state <= 2)
			s.fwd_cnt = s.rx_cnt = s.told_fwd_cnt = s.tx_cnt = s.peer_fwd_cnt = s.rx_packets =
				s.tx_packets = 0;
		if (i / 50 == m->table.count)
			(void)!virtio_vsock_connection_restore(&m->table, &s, 0, &c);
	}
	for (uint32_t i = random_below(random, MACHINE_REPLIES + 1); i > 0; i--) {
		const struct virtio_vsock_reply_state reply = { 2, MACHINE_GUEST_CID, random_word(random),
								random_word(random), 1 };

		MUST(virtio_vsock_restore_replies(&m->table, &reply, 1) == 0);
	}
	m->table.next_port = 1000 + random_below(random, 1001);
	m->events.unsent = random_one_in(random, 4);
	m->events.waiting = random_one_in(random, 4);
	m->events.avail_idx = m->events.waiting ? (uint16_t)random_word(random) : 0;
}

/* Brings a machine that was just made into a random state. */
static inline void random_state(struct machine *m, uint64_t *random)
{
	for (uint32_t device = 0; device < MACHINE_DEVICES; device++) {
		struct virtio_device *core = &m->parts[device].device;

		random_bring_up(m, device, random);
		for (uint32_t queue = 0; queue < machine_queues(device); queue++)
			random_queue(m, device, queue, random);
		if (random_one_in(random, 8) && core->active) {
			/*
			 * The guest writes a random available index. This usually breaks the queue.
			 */
			const uint32_t queue = random_below(random, machine_queues(device));

			virtio_put_le16(m->ram + random_area(device, queue, VIRTIO_QUEUE_AVAIL) + 2,
					(uint16_t)random_word(random));
			virtio_device_notify(core, queue);
		}
		if (random_one_in(random, 10))
			virtio_device_set_needs_reset(core);
		if (random_one_in(random, 10) && virtio_device_status(core))
			(void)!virtio_device_write_status(core, virtio_device_status(core) | VIRTIO_CONFIG_S_FAILED);
	}
	if (random_one_in(random, 2)) {
		const uint8_t writeback = (uint8_t)random_below(random, 2);

		(void)virtio_blk_config_write(&m->blk, offsetof(struct virtio_blk_config, wce), &writeback, 1);
	}
	random_console(m, random);
	random_sockets(m, random);
}

/* Serves a queue as far as its state allows. */
static inline void random_serve(struct machine *m, uint32_t device, uint32_t queue)
{
	struct machine_part *part = &m->parts[device];
	struct virtio_queue *q = &part->queues[queue];

	for (int turn = 0; turn < 2; turn++) {
		if (device == MACHINE_CONSOLE && (queue == 1 || queue == 5)) {
			struct virtio_console_progress progress;

			m->output_room = 1000;
			if (virtio_console_transmit(&m->console, queue / 4, q, &progress) < 0 && q->broken)
				virtio_device_set_needs_reset(&part->device);
			continue;
		}
		for (uint32_t i = 0; i < part->held_count[queue]; i++)
			MUST(virtio_queue_complete(q, part->held[queue][i].token, 0) == 0 || q->broken);
		part->held_count[queue] = 0;
		if (turn == 0)
			(void)machine_hold(m, device, queue, MACHINE_QUEUE_SIZE);
	}
	if (q->broken)
		virtio_device_set_needs_reset(&part->device);
	(void)virtio_queue_needs_interrupt(q);
}

#endif
