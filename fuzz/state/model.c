/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "model.h"

#include "../../tests/unit/state/machine.h"
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ids.h>
#include <virtio/bindings/virtio_ring.h>

#define TYPE_FEATURES ((UINT64_C(1) << 24) - 1)

/* A section together with its file. */
struct judged {
	const uint8_t *file;
	const struct format_view *view;
	const struct format_section *section;
};

static struct judged find(const uint8_t *file, const struct format_view *view, const struct format_kind *kind,
			  uint32_t device, uint32_t index)
{
	const struct judged found = { file, view, format_section_of(view, kind, device, index) };

	FUZZ_CHECK(found.section, "section %s of device %u is missing", kind->name, device);
	return found;
}

static uint64_t front(const struct judged *j, const char *field)
{
	return format_get(j->file, j->section, field, FORMAT_FRONT);
}

static uint64_t entry(const struct judged *j, const char *field, uint32_t n)
{
	return format_get(j->file, j->section, field, n);
}

/* Returns the accepted features 0 to 63 of a device. */
static uint64_t accepted(const struct judged *core)
{
	return front(core, "accepted[0]") | front(core, "accepted[1]") << 32;
}

static bool has(const struct judged *core, uint32_t bit)
{
	return accepted(core) >> bit & 1;
}

/* After the negotiation, the features of a device type must be the accepted features 0 to 23. */
static void judge_features(const struct judged *core, uint64_t features)
{
	if (front(core, "status") & VIRTIO_CONFIG_S_FEATURES_OK)
		FUZZ_CHECK(features == (accepted(core) & TYPE_FEATURES), "accepted: features differ from the core's");
}

static void judge_core(const struct judged *core, uint32_t device)
{
	static const uint32_t types[] = { VIRTIO_ID_BLOCK, VIRTIO_ID_CONSOLE, VIRTIO_ID_VSOCK };
	const uint64_t status = front(core, "status");
	const bool active = front(core, "active");

	FUZZ_CHECK(front(core, "type") == types[device], "accepted: wrong type of device");
	FUZZ_CHECK(core->section->count == machine_queues(device), "accepted: wrong number of queues");
	FUZZ_CHECK(status <= 0xff && !(status & 0x30), "accepted: unknown bits of the status");
	FUZZ_CHECK(!active || (status & VIRTIO_CONFIG_S_DRIVER_OK), "accepted: active before DRIVER_OK");
	FUZZ_CHECK(front(core, "interrupt_status") <= 3, "accepted: unknown bits of the interrupt status");
	FUZZ_CHECK(!(status & VIRTIO_CONFIG_S_FEATURES_OK) ||
			   (has(core, VIRTIO_F_VERSION_1) && !front(core, "accepted_beyond")),
		   "accepted: features that were not offered");
	for (uint32_t i = 0; i < core->section->count; i++) {
		const uint64_t size = entry(core, "size", i);

		FUZZ_CHECK(entry(core, "max_size", i) == MACHINE_QUEUE_SIZE, "accepted: wrong max_size");
		FUZZ_CHECK(size && size <= MACHINE_QUEUE_SIZE && (size & (size - 1)) == 0, "accepted: wrong size");
		FUZZ_CHECK(entry(core, "desc", i) % 16 == 0 && entry(core, "avail", i) % 2 == 0 &&
				   entry(core, "used", i) % 4 == 0,
			   "accepted: misaligned area");
		FUZZ_CHECK(entry(core, "given", i) <= 7 && entry(core, "refused", i) <= 15,
			   "accepted: unknown bits in given or refused");
		FUZZ_CHECK(!entry(core, "ready", i) || (entry(core, "given", i) == 7 && !entry(core, "refused", i)),
			   "accepted: a ready queue without all areas");
	}
}

/* Checks that a started queue has the configuration of the core. */
static void judge_config(const struct judged *core, const struct judged *queue, uint32_t n)
{
	static const char *const same[] = { "desc", "avail", "used", "max_size", "size", "ready" };

	FUZZ_CHECK(front(core, "active"), "accepted: a started queue of an inactive device");
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		FUZZ_CHECK(front(queue, same[i]) == entry(core, same[i], n),
			   "accepted: %s of a queue differs from the core's", same[i]);
	FUZZ_CHECK(front(queue, "ready"), "accepted: a started queue that isn't ready");
	FUZZ_CHECK(front(queue, "event_idx") == has(core, VIRTIO_RING_F_EVENT_IDX) &&
			   front(queue, "indirect") == has(core, VIRTIO_RING_F_INDIRECT_DESC) &&
			   front(queue, "in_order") == has(core, VIRTIO_F_IN_ORDER),
		   "accepted: features of a queue differ from the core's");
}

static void judge_record(const struct judged *queue)
{
	uint32_t seen = 0;

	FUZZ_CHECK(queue->section->count <= front(queue, "size"),
		   "accepted: more requests in flight than the queue's size");
	for (uint32_t i = 0; i < queue->section->count; i++) {
		const uint64_t head = entry(queue, "head", i);
		const bool completed = entry(queue, "completed", i);

		FUZZ_CHECK(head < front(queue, "size") && !(seen >> head & 1), "accepted: wrong or repeated head");
		FUZZ_CHECK(!completed || (front(queue, "in_order") && i > 0),
			   "accepted: a completed request that must be in the used ring");
		FUZZ_CHECK(completed || !entry(queue, "written", i),
			   "accepted: written bytes of a request that is not completed");
		seen |= 1u << head;
	}
}

static void judge_queue(const struct judged *core, const struct judged *queue, uint32_t n)
{
	const int32_t broken = (int32_t)front(queue, "broken");

	FUZZ_CHECK(broken == 0 || broken == VIRTIO_EFAULT || broken == VIRTIO_EPERM || broken == VIRTIO_EAVAILIDX ||
			   broken == VIRTIO_EHEAD || broken == VIRTIO_EINFLIGHT,
		   "accepted: a queue is broken by an error that breaks no queue");
	if (front(queue, "size") == 0) {
		for (uint32_t i = 0; i < queue->section->bytes; i++)
			FUZZ_CHECK(!queue->file[queue->section->content + i],
				   "accepted: values of a queue that isn't started");
		return;
	}
	judge_config(core, queue, n);
	judge_record(queue);
}

static void judge_disk(const struct judged *core)
{
	const struct judged disk = find(core->file, core->view, &format_blk, MACHINE_DISK, 0);

	judge_features(core, front(&disk, "features"));
	FUZZ_CHECK(front(&disk, "capacity") <= MACHINE_SECTORS, "accepted: a capacity larger than the disk");
	FUZZ_CHECK(front(&disk, "writeback") <= 1, "accepted: wrong writeback");
}

/* Returns the flags of a port, converted to the newest version. */
static uint64_t port_flags(const struct judged *console, uint32_t n)
{
	uint64_t flags = entry(console, "flags", n);

	if (console->section->version == 1 && !(flags & VIRTIO_CONSOLE_PORT_IS_READY))
		flags &= ~(uint64_t)VIRTIO_CONSOLE_PORT_GUEST_OPEN;
	if (console->section->version == 1 && (entry(console, "pending", n) & VIRTIO_CONSOLE_SEND_REMOVE))
		flags |= VIRTIO_CONSOLE_PORT_AWAITS_READY;
	return flags;
}

/*
 * Checks the console. If a port has a chain in flight, the section of the port's transmit queue
 * must have the same chain in flight. Port 0 has transmit queue 1, and port 1 has transmit queue 5.
 */
static void judge_console(const struct judged *core)
{
	const struct judged console = find(core->file, core->view, &format_console, MACHINE_CONSOLE, 0);
	const bool multiport = front(&console, "negotiated") & 2;

	judge_features(core, front(&console, "negotiated"));
	FUZZ_CHECK(front(&console, "driver_ready") <= multiport, "accepted: driver_ready without MULTIPORT");
	FUZZ_CHECK(console.section->count == MACHINE_PORTS, "accepted: ports are missing");
	for (uint32_t i = 0; i < MACHINE_PORTS; i++) {
		const struct judged queue = find(core->file, core->view, &format_queue, MACHINE_CONSOLE, i ? 5 : 1);
		const uint64_t in_flight = entry(&console, "in_flight", i), flags = port_flags(&console, i);
		const bool ready = flags & VIRTIO_CONSOLE_PORT_IS_READY;

		FUZZ_CHECK(entry(&console, "id", i) == i, "accepted: wrong id of a port");
		FUZZ_CHECK((flags & ~UINT64_C(0xc7)) == (i ? 0x10 : 0x30), "accepted: wrong flags");
		FUZZ_CHECK(ready ? !(flags & VIRTIO_CONSOLE_PORT_AWAITS_READY)
				 : !(flags & VIRTIO_CONSOLE_PORT_GUEST_OPEN),
			   "accepted: a ready port awaits PORT_READY, or a port is open before it");
		FUZZ_CHECK((flags & VIRTIO_CONSOLE_PORT_AWAITS_READY) ||
				   !(entry(&console, "pending", i) & VIRTIO_CONSOLE_SEND_REMOVE),
			   "accepted: REMOVE is pending, but the port does not await PORT_READY");
		FUZZ_CHECK(multiport || (!(flags & 0xc7) && !entry(&console, "pending", i)),
			   "accepted: messages without MULTIPORT");
		FUZZ_CHECK(queue.section->count == in_flight,
			   "accepted: a port's chain that isn't in flight on its queue");
		FUZZ_CHECK(in_flight ? entry(&console, "head", i) == entry(&queue, "head", 0)
				     : !entry(&console, "head", i) && !entry(&console, "taken", i),
			   "accepted: a port's chain differs from the queue's");
	}
}

static void judge_connection(const struct judged *vsock, uint32_t n)
{
	const uint32_t buffered = (uint32_t)(entry(vsock, "rx_cnt", n) - entry(vsock, "fwd_cnt", n));
	const uint64_t local = entry(vsock, "local_cid", n), state = entry(vsock, "state", n);

	FUZZ_CHECK(entry(vsock, "peer_cid", n) == MACHINE_GUEST_CID && local != MACHINE_GUEST_CID && local >= 2,
		   "accepted: wrong address of a connection");
	FUZZ_CHECK(state >= 1 && state <= 5, "accepted: wrong state of a connection");
	FUZZ_CHECK(entry(vsock, "type", n) == 1 || entry(vsock, "type", n) == 2,
		   "accepted: wrong type of a connection");
	FUZZ_CHECK(entry(vsock, "credit_bad", n) <= 1 && entry(vsock, "pending", n) < 0x80,
		   "accepted: wrong credit_bad or pending");
	FUZZ_CHECK(entry(vsock, "shut_by_us", n) <= 3 && entry(vsock, "shut_by_peer", n) <= 3, "accepted: wrong flags");
	FUZZ_CHECK(buffered <= entry(vsock, "buf_alloc", n), "accepted: more bytes than the buffer holds");
	FUZZ_CHECK(buffered == 0 || entry(vsock, "rx_packets", n), "accepted: buffered bytes without a packet");
	FUZZ_CHECK(!entry(vsock, "message_bytes", n) || entry(vsock, "message_packets", n),
		   "accepted: bytes of a message without a packet");
	FUZZ_CHECK(!entry(vsock, "message_packets", n) || (entry(vsock, "type", n) == 2 && state >= 3),
		   "accepted: a message of a stream, or before the connection is established");
	for (uint32_t i = 0; i < n; i++)
		FUZZ_CHECK(entry(vsock, "local_cid", i) != local ||
				   entry(vsock, "local_port", i) != entry(vsock, "local_port", n) ||
				   entry(vsock, "peer_port", i) != entry(vsock, "peer_port", n),
			   "accepted: two connections with the same address");
}

static void judge_sockets(const struct judged *core)
{
	const struct judged vsock = find(core->file, core->view, &format_vsock, MACHINE_SOCKETS, 0);
	const struct judged replies = find(core->file, core->view, &format_replies, MACHINE_SOCKETS, 0);
	const uint64_t port = front(&vsock, "next_port");

	judge_features(core, front(&vsock, "negotiated"));
	FUZZ_CHECK(port >= 1000 && port <= 2000, "accepted: wrong next_port");
	FUZZ_CHECK(front(&vsock, "event_waiting") || !front(&vsock, "event_avail_idx"),
		   "accepted: event_avail_idx without event_waiting");
	for (uint32_t i = 0; i < vsock.section->count; i++)
		judge_connection(&vsock, i);
	for (uint32_t i = 0; i < replies.section->count; i++)
		FUZZ_CHECK(entry(&replies, "dst_cid", i) == MACHINE_GUEST_CID &&
				   entry(&replies, "src_cid", i) != MACHINE_GUEST_CID,
			   "accepted: wrong address of a reply");
}

void model_judge(const uint8_t *file, const struct format_view *view)
{
	void (*const judge_type[])(const struct judged *) = { judge_disk, judge_console, judge_sockets };

	for (uint32_t device = 0; device < MACHINE_DEVICES; device++) {
		const struct judged core = find(file, view, &format_device, device, 0);

		judge_core(&core, device);
		judge_type[device](&core);
		for (uint32_t i = 0; i < machine_queues(device); i++) {
			const struct judged queue = find(file, view, &format_queue, device, i);

			judge_queue(&core, &queue, i);
		}
	}
}

/* The file that is saved after a restore */

/* Stores a value in a section of the new file. */
static void put(struct edit_file *out, const struct format_section *section, const char *field, uint32_t n,
		uint64_t value)
{
	size_t offset;
	uint8_t bytes;

	FUZZ_CHECK(format_find(section, field, n, &offset, &bytes), "the model has no value %s", field);
	format_put(out->bytes + offset, bytes, value);
}

/* Copies the values of an entry, or those before the list. A value that `from` lacks becomes 0. */
static void save_values(const struct judged *from, uint32_t n, const struct format_section *to, uint32_t place,
			struct edit_file *out)
{
	const struct format_kind *kind = to->kind;
	const bool is_front = n == FORMAT_FRONT;

	for (uint32_t i = 0; i < (is_front ? kind->field_count : kind->entry_field_count); i++) {
		const char *field = is_front ? kind->fields[i].name : kind->entry_fields[i].name;

		put(out, to, field, place, entry(from, field, n));
	}
}

/* Stores a section in the newest version, with the values of a section of any version. */
static void save_section(const struct judged *from, struct format_section *to, struct edit_file *out)
{
	const struct format_kind *kind = to->kind;

	to->header = out->length;
	to->content = to->header + FORMAT_HEADER;
	to->version = kind->version;
	memcpy(out->bytes + to->header, from->file + from->section->header, FORMAT_HEADER);
	to->bytes = (uint32_t)(format_list(to) - to->content);
	if (kind->list) {
		format_put(out->bytes + format_list(to), 4, to->count);
		to->bytes += 4 + (uint32_t)(to->count * format_entry_bytes(kind, to->version));
	}
	format_put(out->bytes + to->header + 24, 2, to->version);
	format_put(out->bytes + to->header + 28, 4, to->bytes);
	out->length += FORMAT_HEADER + to->bytes;
	save_values(from, FORMAT_FRONT, to, FORMAT_FRONT, out);
	for (uint32_t i = 0; i < to->count; i++)
		save_values(from, i, to, i, out);
}

/*
 * Returns whether a restored device needs a reset, because a ready queue is broken or not started.
 */
static bool has_dead_queue(const struct judged *core, uint32_t device)
{
	for (uint32_t i = 0; i < machine_queues(device) && front(core, "active"); i++) {
		const struct judged queue = find(core->file, core->view, &format_queue, device, i);

		if (entry(core, "ready", i) && (front(&queue, "size") == 0 || front(&queue, "broken")))
			return true;
	}
	return false;
}

static void save_core(const struct judged *core, uint32_t device, const struct format_section *to,
		      struct edit_file *out)
{
	uint64_t status = front(core, "status"), interrupts = front(core, "interrupt_status");
	uint64_t generation = front(core, "generation");

	/* If the disk has grown since the save, the restore reports this to the driver. */
	if (device == MACHINE_DISK) {
		const struct judged disk = find(core->file, core->view, &format_blk, MACHINE_DISK, 0);

		if (front(&disk, "capacity") < MACHINE_SECTORS) {
			generation++;
			interrupts |= status ? VIRTIO_INTERRUPT_CONFIG : 0;
		}
	}
	if (has_dead_queue(core, device) && !(status & VIRTIO_CONFIG_S_NEEDS_RESET)) {
		status |= VIRTIO_CONFIG_S_NEEDS_RESET;
		interrupts |= VIRTIO_INTERRUPT_CONFIG;
	}
	put(out, to, "status", FORMAT_FRONT, status);
	put(out, to, "interrupt_status", FORMAT_FRONT, interrupts);
	put(out, to, "generation", FORMAT_FRONT, generation);
}

/* After the restore the terminal of the console is connected. The generic port has no client. */
static void save_ports(const struct judged *console, const struct format_section *to, struct edit_file *out)
{
	for (uint32_t i = 0; i < to->count; i++) {
		const uint64_t flags = port_flags(console, i);
		uint64_t pending = entry(console, "pending", i);
		const bool terminal = flags & VIRTIO_CONSOLE_PORT_IS_CONSOLE;
		const bool told = flags & VIRTIO_CONSOLE_PORT_TOLD_OPEN;

		if (!terminal && told)
			pending |= VIRTIO_CONSOLE_SEND_CLOSE;
		if (!terminal || !(flags & VIRTIO_CONSOLE_PORT_IS_READY))
			pending &= ~(uint64_t)VIRTIO_CONSOLE_SEND_OPEN;
		else if (!told)
			pending |= VIRTIO_CONSOLE_SEND_OPEN;
		put(out, to, "flags", i, flags);
		put(out, to, "pending", i, pending);
	}
}

/* Returns whether connection a is saved before connection b. Connections are sorted by address. */
static bool is_before(const struct judged *vsock, uint32_t a, uint32_t b)
{
	static const char *const keys[] = { "local_port", "peer_port", "local_cid" };

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		if (entry(vsock, keys[i], a) != entry(vsock, keys[i], b))
			return entry(vsock, keys[i], a) < entry(vsock, keys[i], b);
	}
	return false;
}

/* Stores the connections in order of address. The restore drops pending credit requests. */
static void save_connections(const struct judged *vsock, const struct format_section *to, struct edit_file *out)
{
	for (uint32_t i = 0; i < to->count; i++) {
		uint32_t place = 0;

		for (uint32_t j = 0; j < to->count; j++)
			place += is_before(vsock, j, i);
		save_values(vsock, i, to, place, out);
		put(out, to, "pending", place,
		    entry(vsock, "pending", i) & ~(uint64_t)VIRTIO_VSOCK_PENDING_CREDIT_REQUEST);
	}
}

void model_saved(const uint8_t *file, const struct format_view *view, struct edit_file *out)
{
	memcpy(out->bytes, file, FORMAT_BEGIN);
	out->length = FORMAT_BEGIN;
	for (uint32_t i = 0; i < view->count; i++) {
		const struct judged from = { file, view, &view->sections[i] };
		struct format_section to = *from.section;

		/* The section with the input of a port is not saved if there is no input. */
		if (to.kind == &format_input && to.count == 0)
			continue;
		save_section(&from, &to, out);
		if (to.kind == &format_device)
			save_core(&from, to.device, &to, out);
		else if (to.kind == &format_blk)
			put(out, &to, "capacity", FORMAT_FRONT, MACHINE_SECTORS);
		else if (to.kind == &format_console)
			save_ports(&from, &to, out);
		else if (to.kind == &format_vsock)
			save_connections(&from, &to, out);
	}
	out->length += 4;
	format_frame(out->bytes, out->length);
}
