/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Rings and their drivers, for tests of the daemon. */
#include "rings.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Offsets in a ring's part of memory. The ring is at 0. */
#define PART_BYTES 0x20000u
#define PART_HEADERS 0x1000u
#define PART_STATUSES 0x1800u
#define PART_TABLES 0x2000u
#define PART_DATA 0x4000u

#define TABLE_ENTRIES 3u

/*
 * Returns the front end's address of a guest address. In the front end's address space the two
 * regions of front_end_table() are not adjacent.
 */
static uint64_t user_addr(uint64_t addr)
{
	const uint64_t at = addr - GUEST_ADDR, half = GUEST_BYTES / 2;

	return at < half ? USER_ADDR + at : USER_ADDR + 4 * half + (at - half);
}

void ring_start(struct ring *ring, uint16_t base)
{
	struct vhost_user_vring_addr addr = {
		.index = ring->index,
		.desc = user_addr(ring->mock.addr[VIRTIO_QUEUE_DESC]),
		.avail = user_addr(ring->mock.addr[VIRTIO_QUEUE_AVAIL]),
		.used = user_addr(ring->mock.addr[VIRTIO_QUEUE_USED]),
	};
	struct front_end *fe = ring->fe;

	assert_int_equal(front_end_ask_state(fe, VHOST_USER_SET_VRING_NUM, ring->index, RING_ENTRIES), 0);
	assert_int_equal(front_end_ask_state(fe, VHOST_USER_SET_VRING_BASE, ring->index, base), 0);
	assert_int_equal(front_end_ask(fe, VHOST_USER_SET_VRING_ADDR, &addr, sizeof addr, NULL, 0), 0);
	assert_int_equal(front_end_ask_fd(fe, VHOST_USER_SET_VRING_CALL, ring->index, ring->call), 0);
	assert_int_equal(front_end_ask_fd(fe, VHOST_USER_SET_VRING_KICK, ring->index, ring->kick), 0);
	assert_int_equal(front_end_ask_state(fe, VHOST_USER_SET_VRING_ENABLE, ring->index, 1), 0);
}

void ring_move(struct ring *ring)
{
	uint16_t used;

	virtio_memory_cursor_init(&ring->mock.memory, &ring->fe->map);
	assert_int_equal(virtio_mock_get(&ring->mock, VIRTIO_MOCK_USED_IDX, &used), 0);
	ring_start(ring, used);
}

uint16_t ring_stop(struct ring *ring)
{
	struct vhost_user_vring_state state = { .index = ring->index };

	front_end_send(ring->fe, VHOST_USER_GET_VRING_BASE, VHOST_USER_FLAG_VERSION, &state, sizeof state, NULL, 0);
	assert_int_equal(front_end_reply(ring->fe, VHOST_USER_GET_VRING_BASE, &state, sizeof state), sizeof state);
	assert_int_equal(state.index, ring->index);
	return (uint16_t)state.num;
}

void ring_open(struct ring *ring, struct front_end *fe, uint16_t index)
{
	memset(ring, 0, sizeof *ring);
	ring->fe = fe;
	ring->index = index;
	ring->part = index * PART_BYTES;
	ring->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ring->call = eventfd(0, EFD_CLOEXEC);
	assert_true(ring->kick >= 0 && ring->call >= 0);
	assert_int_equal(virtio_mock_init(&ring->mock, &fe->map, GUEST_ADDR + ring->part, RING_ENTRIES, ring->slots,
					  RING_ENTRIES),
			 0);
	ring->mock.event_idx = fe->mock.event_idx;
	ring->mock.indirect = true;
	ring_start(ring, 0);
}

void ring_close(struct ring *ring)
{
	close(ring->kick);
	close(ring->call);
}

void rings_open(struct ring *rings, struct front_end *fe, const char *socket, uint64_t features)
{
	front_end_open(fe, socket);
	front_end_negotiate(fe, features | FEATURE(VIRTIO_RING_F_INDIRECT_DESC));
	front_end_share_memory(fe);
	for (uint16_t i = 0; i < RINGS; i++)
		ring_open(&rings[i], fe, i);
}

void rings_close(struct ring *rings)
{
	front_end_close(rings[0].fe);
	for (unsigned int i = 0; i < RINGS; i++)
		ring_close(&rings[i]);
}

uint8_t *ring_data(const struct ring *ring, unsigned int n)
{
	return ring->fe->memory + ring->part + PART_DATA + n * REQUEST_BYTES;
}

uint8_t ring_status(const struct ring *ring, unsigned int n)
{
	return ring->fe->memory[ring->part + PART_STATUSES + n];
}

int ring_submit(struct ring *ring, unsigned int n, uint32_t type, uint64_t sector, uint32_t len)
{
	const struct virtio_blk_outhdr header = {
		.type = virtio_le32(type),
		.sector = virtio_le64(ring->index * RING_SECTORS + sector),
	};
	const uint64_t part = GUEST_ADDR + ring->part;
	struct virtio_mock_buffer buffers[TABLE_ENTRIES] = {
		{ .addr = part + PART_HEADERS + 16 * n, .len = sizeof header },
		{ .addr = part + PART_DATA + n * REQUEST_BYTES, .len = len },
		{ .addr = part + PART_STATUSES + n, .len = 1, .flags = VRING_DESC_F_WRITE },
	};

	if (type == VIRTIO_BLK_T_IN)
		buffers[1].flags = VRING_DESC_F_WRITE;
	if (len == 0)
		buffers[1] = buffers[2];
	memcpy(ring->fe->memory + ring->part + PART_HEADERS + 16 * n, &header, sizeof header);
	ring->fe->memory[ring->part + PART_STATUSES + n] = 0xff;
	return virtio_mock_add_indirect(&ring->mock, part + PART_TABLES + sizeof(struct vring_desc) * TABLE_ENTRIES * n,
					buffers, len ? 3 : 2) < 0
		       ? -1
		       : 0;
}

int ring_kick(struct ring *ring)
{
	const uint64_t one = 1;
	const int wanted = virtio_mock_should_kick(&ring->mock);

	if (wanted <= 0)
		return wanted;
	return write(ring->kick, &one, sizeof one) == sizeof one ? 0 : -1;
}

int ring_wait(struct ring *ring, unsigned int count)
{
	struct vring_used_elem used;
	uint64_t signals;

	while (count > 0) {
		int got = virtio_mock_pop_used(&ring->mock, &used);

		if (got < 0)
			return -1;
		count -= (unsigned int)got;
		if (got) {
			watchdog_step();
			continue;
		}
		got = virtio_mock_enable_interrupts(&ring->mock);
		if (got < 0 || (got == 0 && read(ring->call, &signals, sizeof signals) != sizeof signals))
			return -1;
	}
	return 0;
}

/*
 * Returns whether request n of a round is a flush. In a round with flushes, one flush is alone and
 * two are in a row. Few rounds have flushes, because flushes are slow.
 */
static bool is_flush(unsigned int round, unsigned int n)
{
	return round % RING_FLUSH_ROUNDS == 0 &&
	       (n == RING_REQUESTS / 3 || n == RING_REQUESTS / 2 || n == RING_REQUESTS / 2 + 1);
}

/*
 * Makes the RING_REQUESTS requests of a round available at once, and waits for them. The requests
 * have this type, but flushes replace some of them in some rounds. Returns 0, or -1 on failure.
 */
static int all_at_once(struct ring *ring, unsigned int round, uint32_t type)
{
	for (unsigned int n = 0; n < RING_REQUESTS; n++)
		if (is_flush(round, n) ? ring_submit(ring, n, VIRTIO_BLK_T_FLUSH, 0, 0)
				       : ring_submit(ring, n, type, n * REQUEST_SECTORS, REQUEST_BYTES))
			return -1;
	if (ring_kick(ring) || ring_wait(ring, RING_REQUESTS))
		return -1;
	for (unsigned int n = 0; n < RING_REQUESTS; n++)
		if (ring_status(ring, n) != VIRTIO_BLK_S_OK)
			return -1;
	return 0;
}

/*
 * Fills in the bytes that a request writes in a round. The bytes depend on ring, round and request,
 * so the test finds misplaced bytes.
 */
static void fill(uint8_t *bytes, const struct ring *ring, unsigned int round, unsigned int n)
{
	for (unsigned int i = 0; i < REQUEST_BYTES; i += 4) {
		bytes[i] = (uint8_t)(ring->index + 1);
		bytes[i + 1] = (uint8_t)round;
		bytes[i + 2] = (uint8_t)n;
		bytes[i + 3] = (uint8_t)(i / 4);
	}
}

const char *ring_traffic(struct ring *ring, unsigned int rounds)
{
	uint8_t expected[REQUEST_BYTES];

	for (unsigned int round = 0; round < rounds; round++) {
		for (unsigned int n = 0; n < RING_REQUESTS; n++)
			fill(ring_data(ring, n), ring, round, n);
		if (all_at_once(ring, round, VIRTIO_BLK_T_OUT))
			return "writes failed";
		for (unsigned int n = 0; n < RING_REQUESTS; n++)
			memset(ring_data(ring, n), 0xee, REQUEST_BYTES);
		if (all_at_once(ring, round, VIRTIO_BLK_T_IN))
			return "reads failed";
		for (unsigned int n = 0; n < RING_REQUESTS; n++) {
			if (is_flush(round, n))
				memset(expected, 0xee, sizeof expected);
			else
				fill(expected, ring, round, n);
			if (memcmp(ring_data(ring, n), expected, sizeof expected) != 0)
				return "the data that was read differs from the data that was written";
		}
	}
	return NULL;
}
