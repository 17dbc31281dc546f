/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "machine.h"

#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ids.h>
#include <virtio/bindings/virtio_ring.h>

const uint8_t machine_id[VIRTIO_QUEUE_SER_ID_BYTES] = { 'm', 'a', 'c', 'h', 'i', 'n', 'e' };

static const uint32_t queue_counts[MACHINE_DEVICES] = { 2, 2 * MACHINE_PORTS + 2, 3 };
static const uint32_t device_types[MACHINE_DEVICES] = { VIRTIO_ID_BLOCK, VIRTIO_ID_CONSOLE, VIRTIO_ID_VSOCK };

uint32_t machine_queues(uint32_t device)
{
	return queue_counts[device];
}

/* Operations */

static int check_features(struct virtio_device *device, const uint32_t features[VIRTIO_FEATURE_WORDS])
{
	const struct machine_part *part = device->context;
	struct machine *m = part->machine;
	const uint64_t low = features[0] & ((1u << 24) - 1);

	if (part == &m->parts[MACHINE_DISK])
		return virtio_blk_negotiate(&m->blk, low);
	if (part == &m->parts[MACHINE_CONSOLE])
		return virtio_console_negotiate(&m->console, low);
	return virtio_vsock_negotiate(&m->vsock, low);
}

static int reset(struct virtio_device *device)
{
	struct machine_part *part = device->context;
	struct machine *m = part->machine;

	memset(part->held_count, 0, sizeof part->held_count);
	if (part == &m->parts[MACHINE_DISK]) {
		virtio_blk_reset(&m->blk);
	} else if (part == &m->parts[MACHINE_CONSOLE]) {
		virtio_console_reset(&m->console);
	} else {
		virtio_vsock_reset(&m->vsock);
		virtio_vsock_events_reset(&m->events);
		virtio_vsock_table_clear(&m->table);
	}
	return virtio_device_queues_reset(device);
}

static int queue_stop(struct virtio_device *device, uint16_t queue)
{
	struct machine_part *part = device->context;

	part->held_count[queue] = 0;
	return virtio_device_queues_stop(device, queue);
}

static void queue_notify(struct virtio_device *device, uint16_t queue, uint16_t next)
{
	struct machine_part *part = device->context;

	(void)next;
	part->notified[queue]++;
	/* The check of the available index finds an incoherent ring. */
	if (virtio_queue_available(&part->queues[queue]) < 0)
		virtio_device_set_needs_reset(device);
}

static void config_read(struct virtio_device *device, uint32_t offset, void *data, uint32_t len)
{
	(void)device;
	(void)offset;
	memset(data, 0, len);
}

static void config_write(struct virtio_device *device, uint32_t offset, const void *data, uint32_t len)
{
	const struct machine_part *part = device->context;

	if (part == &part->machine->parts[MACHINE_DISK])
		(void)virtio_blk_config_write(&part->machine->blk, offset, data, len);
}

static void interrupt(struct virtio_device *device, enum virtio_interrupt cause, uint16_t queue, bool level)
{
	struct machine_part *part = device->context;

	(void)queue;
	part->used_interrupts += level && cause == VIRTIO_INTERRUPT_USED;
	part->config_interrupts += level && cause == VIRTIO_INTERRUPT_CONFIG;
}

static const struct virtio_device_ops ops = {
	.check_features = check_features,
	.activate = virtio_device_queues_activate,
	.reset = reset,
	.queue_notify = queue_notify,
	.queue_start = virtio_device_queues_start,
	.queue_stop = queue_stop,
	.config_read = config_read,
	.config_write = config_write,
	.interrupt = interrupt,
};

/* Making the machine */

static void make_part(struct machine *m, uint32_t device, uint64_t offered)
{
	struct machine_part *part = &m->parts[device];
	const struct virtio_device_queues_storage storage = {
		.registers = part->registers,
		.queues = part->queues,
		.num_queues = queue_counts[device],
		.inflight = part->inflight,
		.inflight_entries = MACHINE_MAX_QUEUES * MACHINE_QUEUE_SIZE,
	};
	struct virtio_device_options options = {
		.ops = &ops,
		.context = part,
		.type = device_types[device],
		.device_queues = &part->device_queues,
		.config_size = VIRTIO_BLK_CONFIG_BYTES,
		.memory = &m->map,
	};

	part->machine = m;
	for (uint32_t i = 0; i < queue_counts[device]; i++)
		part->registers[i].config.max_size = MACHINE_QUEUE_SIZE;
	MUST(virtio_device_queues_init(&part->device_queues, &storage) == 0);
	virtio_features_from_u64(options.features, offered);
	virtio_feature_set(options.features, VIRTIO_RING_F_EVENT_IDX);
	virtio_feature_set(options.features, VIRTIO_RING_F_INDIRECT_DESC);
	virtio_feature_set(options.features, VIRTIO_F_IN_ORDER);
	virtio_feature_set(options.features, VIRTIO_F_RING_RESET);
	MUST(virtio_device_init(&part->device, &options) == 0);
}

static size_t take_output(struct machine *m, uint32_t port, const void *bytes, size_t len)
{
	const size_t taken = len < m->output_room ? len : m->output_room;

	m->output_room -= taken;
	if (m->output && taken)
		m->output(m->output_context, port, bytes, taken);
	return taken;
}

static size_t sink_0(void *context, const void *bytes, size_t len)
{
	return take_output(context, 0, bytes, len);
}

static size_t sink_1(void *context, const void *bytes, size_t len)
{
	return take_output(context, 1, bytes, len);
}

static void make_console(struct machine *m)
{
	const struct virtio_console_options options = {
		.ports = m->ports,
		.port_count = MACHINE_PORTS,
		.multiport = true,
		.control_segments = m->segments[2],
		.control_capacity = MACHINE_SEGMENTS,
	};

	MUST(virtio_console_init(&m->console, &options) == 0);
	for (uint32_t i = 0; i < MACHINE_PORTS; i++) {
		const struct virtio_console_port_options port = {
			.console = i == 0,
			.name = "port",
			.name_bytes = 4,
			.input = &m->inputs[i],
			.sink = i ? sink_1 : sink_0,
			.sink_context = m,
			.receive_segments = m->segments[0],
			.receive_capacity = MACHINE_SEGMENTS,
			.transmit_segments = m->segments[1],
			.transmit_capacity = MACHINE_SEGMENTS,
		};

		MUST(virtio_console_input_init(&m->inputs[i], m->input_bytes[i], MACHINE_INPUT) == 0);
		MUST(virtio_console_add_port(&m->console, i, &port) == 0);
	}
}

static void make_sockets(struct machine *m)
{
	static const uint64_t seed[2] = { 1, 2 };
	const struct virtio_vsock_options options = {
		.buf_alloc = 4096,
		.max_packets = 64,
		.max_payload = 1024,
		.connect_timeout = 100,
		.close_timeout = 100,
		.credit_retry = 100,
		.first_port = 1000,
		.last_port = 2000,
	};
	const struct virtio_vsock_table_storage storage = {
		.connections = m->connections,
		.connection_count = MACHINE_CONNECTIONS,
		.buckets = m->buckets,
		.bucket_count = MACHINE_CONNECTIONS,
		.replies = m->replies,
		.reply_count = MACHINE_REPLIES,
	};

	MUST(virtio_vsock_init(&m->vsock, MACHINE_GUEST_CID, true) == 0);
	virtio_vsock_events_reset(&m->events);
	MUST(virtio_vsock_table_init(&m->table, &m->vsock, &options, &storage, seed) == 0);
}

void machine_make(struct machine *m, uint8_t *ram, uint8_t *storage)
{
	struct virtio_blk_options disk = { .capacity = MACHINE_SECTORS, .config_wce = true, .num_queues = 2 };

	memset(m, 0, sizeof *m);
	m->ram = ram;
	m->storage = storage;
	m->region = (struct virtio_region){ .addr = 0, .len = MACHINE_RAM, .host = ram };
	MUST(virtio_memory_map_init(&m->map, &m->region, 1) == 0);
	m->memory = (struct virtio_blk_memory){ storage, MACHINE_SECTORS * 512 };
	MUST(virtio_blk_memory_backend(&m->memory, &disk.backend) == 0);
	MUST(virtio_blk_init(&m->blk, &disk) == 0);
	make_console(m);
	make_sockets(m);
	make_part(m, MACHINE_DISK, virtio_blk_offered(&m->blk));
	make_part(m, MACHINE_CONSOLE, virtio_console_offered(&m->console));
	make_part(m, MACHINE_SOCKETS, virtio_vsock_offered(&m->vsock));
}

/* Saving */

static void save_part(const struct machine *m, uint32_t device, struct virtio_section_writer *writer)
{
	const struct machine_part *part = &m->parts[device];
	struct virtio_queue_registers_state registers[MACHINE_MAX_QUEUES];
	struct virtio_device_state state;

	MUST(virtio_device_save(&part->device, &state, registers, MACHINE_MAX_QUEUES) == 0);
	virtio_device_write_state(writer, device, &state, registers);
}

static void save_queues(const struct machine_part *part, uint32_t device, struct virtio_section_writer *writer)
{
	for (uint32_t i = 0; i < queue_counts[device]; i++) {
		struct virtio_queue_flight record[MACHINE_QUEUE_SIZE];
		struct virtio_queue_state state;
		uint32_t count;

		MUST(virtio_queue_save_in_flight(&part->queues[i], &state, record, MACHINE_QUEUE_SIZE, &count) == 0);
		virtio_queue_ser_write(writer, device, i, &state, record, count);
	}
}

size_t machine_save(const struct machine *m, uint8_t bytes[MACHINE_FILE_BYTES])
{
	struct virtio_section_writer writer;
	struct virtio_blk_state blk;
	size_t length = 0;

	virtio_queue_ser_begin(&writer, bytes, MACHINE_FILE_BYTES, machine_id);
	save_part(m, MACHINE_DISK, &writer);
	virtio_blk_save(&m->blk, &blk);
	virtio_blk_write_state(&writer, MACHINE_DISK, &blk);
	save_queues(&m->parts[MACHINE_DISK], MACHINE_DISK, &writer);
	save_part(m, MACHINE_CONSOLE, &writer);
	virtio_console_write_state(&writer, MACHINE_CONSOLE, &m->console);
	save_queues(&m->parts[MACHINE_CONSOLE], MACHINE_CONSOLE, &writer);
	save_part(m, MACHINE_SOCKETS, &writer);
	virtio_vsock_write_state(&writer, MACHINE_SOCKETS, &m->events, &m->table);
	save_queues(&m->parts[MACHINE_SOCKETS], MACHINE_SOCKETS, &writer);
	MUST(virtio_queue_ser_end(&writer, &length) == 0);
	return length;
}

/* Reading */

static int read_type(const struct machine *m, uint32_t device, struct machine_state *s,
		     struct virtio_section_reader *reader)
{
	uint64_t features = 0;
	const uint64_t *expected = virtio_device_saved_features(&s->device[device], &features) ? &features : NULL;
	int error;

	if (device == MACHINE_DISK)
		return virtio_blk_read_state(reader, device, &m->blk, expected, &s->blk);
	if (device == MACHINE_SOCKETS) {
		s->sockets = (struct virtio_vsock_saved){
			.connections = s->connections,
			.connection_capacity = MACHINE_CONNECTIONS,
			.replies = s->replies,
			.reply_capacity = MACHINE_REPLIES,
		};
		return virtio_vsock_read_state(reader, device, &m->table, expected, &s->vsock, &s->sockets);
	}
	error = virtio_console_read_state(reader, device, &m->console, expected, &s->console, s->ports, MACHINE_PORTS,
					  &s->port_count);
	for (uint32_t i = 0; i < MACHINE_PORTS && !error; i++)
		error = virtio_console_read_input(reader, device, &m->console, i, s->input[i], MACHINE_INPUT,
						  &s->input_count[i]);
	return error;
}

static int read_part(const struct machine *m, uint32_t device, struct machine_state *s,
		     struct virtio_section_reader *reader)
{
	const struct machine_part *part = &m->parts[device];
	int error = virtio_device_read_state(reader, device, &part->device, &s->device[device], s->registers[device],
					     MACHINE_MAX_QUEUES);

	if (!error)
		error = read_type(m, device, s, reader);
	for (uint32_t i = 0; i < queue_counts[device] && !error; i++) {
		struct virtio_queue_config config;
		struct virtio_section where;
		struct virtio_refusal refusal;

		error = virtio_device_saved_config(&part->device, &s->device[device], s->registers[device], i, &config);
		if (!error)
			error = virtio_queue_ser_read(reader, device, i, &config, &m->map, &s->queue[device][i],
						      s->record[device][i], MACHINE_QUEUE_SIZE,
						      &s->record_count[device][i], &where);
		if (!error && device == MACHINE_CONSOLE &&
		    virtio_console_check_record(s->ports, s->port_count, i, s->record[device][i],
						s->record_count[device][i], &refusal))
			error = virtio_section_refuse(reader, virtio_queue_ser_layout(), &where, &refusal,
						      VIRTIO_EINVAL);
	}
	return error;
}

int machine_read(const struct machine *m, const uint8_t *bytes, size_t length, struct machine_state *s,
		 struct virtio_section_reader *reader)
{
	int error = virtio_queue_ser_open(reader, bytes, length, machine_id);

	for (uint32_t device = 0; device < MACHINE_DEVICES && !error; device++)
		error = read_part(m, device, s, reader);
	return error ? error : virtio_section_reader_end(reader);
}

/* Restoring */

static int restore_type(struct machine *m, uint32_t device, const struct machine_state *s)
{
	int error = 0;

	if (device == MACHINE_DISK) {
		error = virtio_blk_restore(&m->blk, &s->blk);
		if (error == 1)
			virtio_device_config_changed(&m->parts[device].device);
		return error < 0 ? error : 0;
	}
	if (device == MACHINE_SOCKETS) {
		struct virtio_vsock_connection *c;

		error = virtio_vsock_restore(&m->vsock, &m->events, &m->table, &s->vsock);
		for (uint32_t i = 0; i < s->sockets.connection_count && !error; i++)
			error = virtio_vsock_connection_restore(&m->table, &s->connections[i], 0, &c);
		return error ? error : virtio_vsock_restore_replies(&m->table, s->replies, s->sockets.reply_count);
	}
	error = virtio_console_restore(&m->console, &s->console);
	for (uint32_t i = 0; i < s->port_count && !error; i++)
		error = virtio_console_restore_port(&m->console, &s->ports[i]);
	for (uint32_t i = 0; i < MACHINE_PORTS && !error; i++) {
		bool wake;
		const int got = virtio_console_input_enqueue(&m->inputs[i], s->input[i], s->input_count[i], &wake);

		error = got < 0 ? got : 0;
	}
	return error;
}

/*
 * Continues a request that was in flight. The console continues its transmit chains. All other
 * chains are held again.
 */
static int take_up(struct machine *m, uint32_t device, uint32_t queue, struct virtio_chain *chain)
{
	struct machine_part *part = &m->parts[device];

	/* The transmit queues of ports 0 and 1 are queues 1 and 5. */
	if (device == MACHINE_CONSOLE && (queue == 1 || queue == 5))
		return virtio_console_replay_transmit(&m->console, queue / 4, chain);
	part->held[queue][part->held_count[queue]++] = *chain;
	return 0;
}

static int restore_queue(struct machine *m, uint32_t device, uint32_t queue, const struct machine_state *s)
{
	struct machine_part *part = &m->parts[device];
	int error = virtio_device_queues_restore(&part->device, (uint16_t)queue, &s->queue[device][queue]);

	for (uint32_t i = 0; i < s->record_count[device][queue] && !error; i++) {
		struct virtio_chain chain;
		const int got = virtio_queue_replay(&part->queues[queue], &s->record[device][queue][i], &chain);

		error = got == 1 ? take_up(m, device, queue, &chain) : got;
	}
	return error;
}

int machine_restore(struct machine *m, const struct machine_state *s)
{
	int error = 0;

	for (uint32_t device = 0; device < MACHINE_DEVICES && !error; device++) {
		struct virtio_device *core = &m->parts[device].device;

		error = virtio_device_restore(core, &s->device[device], s->registers[device], queue_counts[device]);
		if (!error)
			error = restore_type(m, device, s);
		for (uint32_t i = 0; i < queue_counts[device] && !error; i++)
			error = restore_queue(m, device, i, s);
	}
	return error;
}

void machine_resume(struct machine *m)
{
	for (uint32_t device = 0; device < MACHINE_DEVICES; device++)
		virtio_device_resume(&m->parts[device].device);
}

/* Running */

uint32_t machine_hold(struct machine *m, uint32_t device, uint32_t queue, uint32_t most)
{
	struct machine_part *part = &m->parts[device];
	uint32_t count = 0;

	while (count < most && virtio_device_queues_running(&part->device, (uint16_t)queue) &&
	       virtio_queue_pop(&part->queues[queue], &part->held[queue][part->held_count[queue]]) == 1) {
		part->held_count[queue]++;
		count++;
	}
	return count;
}
