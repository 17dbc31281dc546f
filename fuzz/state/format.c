/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "format.h"

#include "../../tests/unit/state/machine.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof(array)[0]))
#define KIND(name, fields)                                                                                             \
	{                                                                                                              \
		name, 1, fields, COUNT(fields), NULL, NULL, 0                                                          \
	}
#define LIST_KIND(name, version, fields, list, entries)                                                                \
	{                                                                                                              \
		name, version, fields, COUNT(fields), list, entries, COUNT(entries)                                    \
	}

static const struct format_field device_fields[] = {
	{ "type", 4, false, 1 },
	{ "status", 4, false, 1 },
	{ "interrupt_status", 4, false, 1 },
	{ "generation", 4, false, 1 },
	{ "accepted[0]", 4, false, 1 },
	{ "accepted[1]", 4, false, 1 },
	{ "accepted[2]", 4, false, 1 },
	{ "accepted[3]", 4, false, 1 },
	{ "device_features_sel", 4, false, 1 },
	{ "driver_features_sel", 4, false, 1 },
	{ "queue_sel", 4, false, 1 },
	{ "shm_sel", 4, false, 1 },
	{ "accepted_beyond", 1, true, 1 },
	{ "active", 1, true, 1 },
};

static const struct format_field device_queue_fields[] = {
	{ "desc", 8, false, 1 },        { "avail", 8, false, 1 },   { "used", 8, false, 1 },
	{ "max_size", 2, false, 1 },    { "size", 2, false, 1 },    { "ready", 1, true, 1 },
	{ "may_reenable", 1, true, 1 }, { "enabling", 1, true, 1 }, { "resetting", 1, true, 1 },
	{ "given", 1, false, 1 },       { "refused", 1, false, 1 },
};

static const struct format_field queue_fields[] = {
	{ "desc", 8, false, 1 },
	{ "avail", 8, false, 1 },
	{ "used", 8, false, 1 },
	{ "max_size", 2, false, 1 },
	{ "size", 2, false, 1 },
	{ "ready", 1, true, 1 },
	{ "event_idx", 1, true, 1 },
	{ "indirect", 1, true, 1 },
	{ "in_order", 1, true, 1 },
	{ "allow_unnegotiated_indirect", 1, true, 1 },
	{ "allow_long_indirect", 1, true, 1 },
	{ "next_avail", 2, false, 1 },
	{ "broken", 4, false, 1 },
};

static const struct format_field flight_fields[] = {
	{ "head", 2, false, 1 },
	{ "completed", 1, true, 1 },
	{ "written", 4, false, 1 },
};

static const struct format_field blk_fields[] = {
	{ "features", 8, false, 1 },
	{ "capacity", 8, false, 1 },
	{ "writeback", 1, false, 1 },
};

static const struct format_field console_fields[] = {
	{ "negotiated", 8, false, 1 },
	{ "driver_ready", 1, false, 1 },
};

static const struct format_field port_fields[] = {
	{ "id", 4, false, 1 },   { "flags", 1, false, 1 },     { "pending", 1, false, 1 }, { "cols", 2, false, 1 },
	{ "rows", 2, false, 1 }, { "in_flight", 1, false, 1 }, { "head", 2, false, 1 },    { "taken", 8, false, 1 },
};

static const struct format_field byte_fields[] = { { "byte", 1, false, 1 } };

static const struct format_field vsock_fields[] = {
	{ "negotiated", 8, false, 1 },   { "next_port", 4, false, 1 },       { "event_unsent", 1, true, 1 },
	{ "event_waiting", 1, true, 1 }, { "event_avail_idx", 2, false, 1 },
};

static const struct format_field connection_fields[] = {
	{ "local_cid", 4, false, 1 },      { "local_port", 4, false, 1 },    { "peer_cid", 4, false, 1 },
	{ "peer_port", 4, false, 1 },      { "type", 2, false, 1 },          { "state", 1, false, 1 },
	{ "shut_by_us", 1, false, 1 },     { "shut_by_peer", 1, false, 1 },  { "credit_bad", 1, false, 1 },
	{ "pending", 4, false, 1 },        { "buf_alloc", 4, false, 1 },     { "rx_cnt", 4, false, 1 },
	{ "fwd_cnt", 4, false, 1 },        { "told_fwd_cnt", 4, false, 1 },  { "rx_packets", 4, false, 1 },
	{ "peer_buf_alloc", 4, false, 1 }, { "tx_cnt", 4, false, 1 },        { "peer_fwd_cnt", 4, false, 1 },
	{ "tx_packets", 4, false, 1 },     { "message_bytes", 4, false, 2 }, { "message_packets", 4, false, 2 },
};

static const struct format_field reply_fields[] = {
	{ "src_cid", 8, false, 1 },  { "dst_cid", 8, false, 1 }, { "src_port", 4, false, 1 },
	{ "dst_port", 4, false, 1 }, { "type", 2, false, 1 },
};

const struct format_kind format_device = LIST_KIND("device", 1, device_fields, "queues", device_queue_fields);
const struct format_kind format_blk = KIND("blk", blk_fields);
const struct format_kind format_queue = LIST_KIND("queue", 1, queue_fields, "in_flight", flight_fields);
const struct format_kind format_console = LIST_KIND("console", 2, console_fields, "ports", port_fields);
const struct format_kind format_input = { "console.input", 1, NULL, 0, "bytes", byte_fields, COUNT(byte_fields) };
const struct format_kind format_vsock = LIST_KIND("vsock", 2, vsock_fields, "connections", connection_fields);
const struct format_kind format_replies = { "vsock.replies", 1, NULL, 0, "replies", reply_fields, COUNT(reply_fields) };

/* Numbers */

uint64_t format_number(const uint8_t *at, uint32_t bytes)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < bytes; i++)
		value |= (uint64_t)at[i] << 8 * i;
	return value;
}

void format_put(uint8_t *at, uint32_t bytes, uint64_t value)
{
	for (uint32_t i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

uint32_t format_checksum(const uint8_t *bytes, size_t count)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < count; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
	}
	return ~crc;
}

void format_frame(uint8_t *bytes, size_t length)
{
	format_put(bytes + 12, 8, length);
	format_put(bytes + length - 4, 4, format_checksum(bytes, length - 4));
}

/* Offsets */

static size_t fields_bytes(const struct format_field *fields, uint32_t count, uint32_t version)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < count; i++)
		bytes += fields[i].since <= version ? fields[i].bytes : 0;
	return bytes;
}

size_t format_front_bytes(const struct format_kind *kind, uint32_t version)
{
	return fields_bytes(kind->fields, kind->field_count, version);
}

size_t format_entry_bytes(const struct format_kind *kind, uint32_t version)
{
	return fields_bytes(kind->entry_fields, kind->entry_field_count, version);
}

size_t format_list(const struct format_section *section)
{
	return section->content + format_front_bytes(section->kind, section->version);
}

bool format_find(const struct format_section *section, const char *field, uint32_t entry, size_t *offset,
		 uint8_t *bytes)
{
	const struct format_kind *kind = section->kind;
	const bool front = entry == FORMAT_FRONT;
	const struct format_field *fields = front ? kind->fields : kind->entry_fields;
	const uint32_t count = front ? kind->field_count : kind->entry_field_count;
	size_t at = section->content;

	if (!front && entry >= section->count)
		return false;
	if (!front)
		at = format_list(section) + 4 + entry * format_entry_bytes(kind, section->version);
	for (uint32_t i = 0; i < count; i++) {
		const bool present = fields[i].since <= section->version;

		if (strcmp(fields[i].name, field) == 0) {
			*offset = at;
			*bytes = fields[i].bytes;
			return present;
		}
		at += present ? fields[i].bytes : 0;
	}
	*bytes = 0;
	return false;
}

uint64_t format_get(const uint8_t *file, const struct format_section *section, const char *field, uint32_t entry)
{
	size_t offset;
	uint8_t bytes = 0;

	if (format_find(section, field, entry, &offset, &bytes))
		return format_number(file + offset, bytes);
	FUZZ_CHECK(bytes != 0, "the model has no value %s", field);
	return 0;
}

const struct format_section *format_section_of(const struct format_view *view, const struct format_kind *kind,
					       uint32_t device, uint32_t index)
{
	for (uint32_t i = 0; i < view->count; i++) {
		const struct format_section *section = &view->sections[i];

		if (section->kind == kind && section->device == device && section->index == index)
			return section;
	}
	return NULL;
}

/* Reading */

/* A position in the sections of a file. */
struct position {
	const uint8_t *bytes;
	size_t at, end;
	struct format_view *view;
};

static bool fault(struct format_view *view, enum virtio_section_reason reason, size_t offset)
{
	if (view->reason == VIRTIO_SECTION_GOOD) {
		view->reason = reason;
		view->offset = offset;
	}
	return false;
}

/* Checks the envelope in the order that the format specifies. */
static bool read_envelope(const uint8_t *bytes, size_t length, const uint8_t id[16], struct format_view *view)
{
	if (memcmp(bytes, "VIRTIOSS", length < 8 ? length : 8) != 0)
		return fault(view, VIRTIO_SECTION_NOT_A_STATE, 0);
	if (length < 12)
		return fault(view, VIRTIO_SECTION_FILE_SHORT, length);
	if (format_number(bytes + 8, 4) != 1)
		return fault(view, VIRTIO_SECTION_FILE_VERSION, 8);
	if (length < FORMAT_FRAME)
		return fault(view, VIRTIO_SECTION_FILE_SHORT, length);
	if (format_number(bytes + 12, 8) > length)
		return fault(view, VIRTIO_SECTION_FILE_SHORT, 12);
	if (format_number(bytes + 12, 8) < length)
		return fault(view, VIRTIO_SECTION_FILE_LONG, 12);
	if (format_number(bytes + length - 4, 4) != format_checksum(bytes, length - 4))
		return fault(view, VIRTIO_SECTION_CHECKSUM, length - 4);
	return memcmp(bytes + 20, id, 16) == 0 || fault(view, VIRTIO_SECTION_OTHER_ID, 20);
}

/* Returns whether 16 bytes are a name: printable ASCII characters without spaces, then zeroes. */
static bool is_name(const uint8_t *bytes)
{
	uint32_t length = 0;

	while (length < 16 && bytes[length] > 0x20 && bytes[length] < 0x7f)
		length++;
	for (uint32_t i = length; i < 16; i++) {
		if (bytes[i])
			return false;
	}
	return length > 0;
}

/* Checks a section's header. Returns false after the last section, or if there is a fault. */
static bool read_header(const struct position *p, size_t at)
{
	const uint8_t *header = p->bytes + at;

	if (at == p->end)
		return false;
	if (p->end - at < FORMAT_HEADER)
		return fault(p->view, VIRTIO_SECTION_HEADER_SHORT, at);
	if (!is_name(header))
		return fault(p->view, VIRTIO_SECTION_BAD_NAME, at);
	if (format_number(header + 26, 2) > 1)
		return fault(p->view, VIRTIO_SECTION_BAD_FLAGS, at + 26);
	if (format_number(header + 28, 4) > p->end - at - FORMAT_HEADER)
		return fault(p->view, VIRTIO_SECTION_CONTENT_SHORT, at + 28);
	return true;
}

static size_t next_of(const struct position *p, size_t at)
{
	return at + FORMAT_HEADER + (size_t)format_number(p->bytes + at + 28, 4);
}

static bool is_this(const struct position *p, size_t at, const struct format_kind *kind, uint32_t device,
		    uint32_t index)
{
	uint8_t name[16] = { 0 };

	memcpy(name, kind->name, strlen(kind->name));
	return memcmp(p->bytes + at, name, 16) == 0 && format_number(p->bytes + at + 16, 4) == device &&
	       format_number(p->bytes + at + 20, 4) == index;
}

static bool read_fields(const struct position *p, size_t *at, size_t end, const struct format_field *fields,
			uint32_t count, uint32_t version)
{
	for (uint32_t i = 0; i < count; i++) {
		if (fields[i].since > version)
			continue;
		if (end - *at < fields[i].bytes)
			return fault(p->view, VIRTIO_SECTION_MISSING_BYTES, *at);
		if (fields[i].boolean && p->bytes[*at] > 1)
			return fault(p->view, VIRTIO_SECTION_NOT_A_BOOL, *at);
		*at += fields[i].bytes;
	}
	return true;
}

static bool read_content(const struct position *p, struct format_section *section, uint32_t capacity)
{
	const struct format_kind *kind = section->kind;
	const size_t end = section->content + section->bytes;
	size_t at = section->content;

	if (!read_fields(p, &at, end, kind->fields, kind->field_count, section->version))
		return false;
	if (kind->list) {
		const size_t list = at, each = format_entry_bytes(kind, section->version);

		if (end - at < 4)
			return fault(p->view, VIRTIO_SECTION_MISSING_BYTES, list);
		section->count = (uint32_t)format_number(p->bytes + at, 4);
		at += 4;
		if (section->count > (end - at) / each)
			return fault(p->view, VIRTIO_SECTION_MISSING_BYTES, list);
		if (section->count > capacity)
			return fault(p->view, VIRTIO_SECTION_TOO_MANY_ENTRIES, list);
		for (uint32_t i = 0; i < section->count; i++) {
			if (!read_fields(p, &at, end, kind->entry_fields, kind->entry_field_count, section->version))
				return false;
		}
	}
	return at == end || fault(p->view, VIRTIO_SECTION_EXTRA_BYTES, at);
}

/* Reads a section that must exist. Skips the optional sections before it. */
static bool read_section(struct position *p, const struct format_kind *kind, uint32_t device, uint32_t index,
			 uint32_t capacity)
{
	struct format_section section = { .kind = kind, .device = device, .index = index };
	uint32_t version;

	while (read_header(p, p->at) && !is_this(p, p->at, kind, device, index)) {
		if (!(p->bytes[p->at + 26] & 1))
			return fault(p->view, VIRTIO_SECTION_UNKNOWN, p->at);
		p->view->skipped++;
		p->at = next_of(p, p->at);
	}
	if (p->view->reason != VIRTIO_SECTION_GOOD)
		return false;
	if (p->at == p->end)
		return fault(p->view, VIRTIO_SECTION_ABSENT, p->at);
	if (p->bytes[p->at + 26])
		return fault(p->view, VIRTIO_SECTION_BAD_FLAGS, p->at + 26);
	version = (uint32_t)format_number(p->bytes + p->at + 24, 2);
	if (version < 1 || version > kind->version)
		return fault(p->view, VIRTIO_SECTION_VERSION, p->at + 24);
	section.version = (uint8_t)version;
	section.header = p->at;
	section.content = p->at + FORMAT_HEADER;
	section.bytes = (uint32_t)format_number(p->bytes + p->at + 28, 4);
	if (!read_content(p, &section, capacity))
		return false;
	p->view->sections[p->view->count++] = section;
	p->at = next_of(p, p->at);
	return true;
}

/*
 * Returns whether this section is next, perhaps after optional sections. Reports no fault, because
 * a later read reports the fault.
 */
static bool is_next(const struct position *p, const struct format_kind *kind, uint32_t device, uint32_t index)
{
	struct format_view ignored = { .count = 0 };
	struct position look = *p;

	look.view = &ignored;
	while (read_header(&look, look.at)) {
		if (is_this(&look, look.at, kind, device, index))
			return true;
		if (!(look.bytes[look.at + 26] & 1))
			return false;
		look.at = next_of(&look, look.at);
	}
	return false;
}

static bool read_device(struct position *p, uint32_t device)
{
	static const struct format_kind *const types[] = { &format_blk, &format_console, &format_vsock };
	static const uint32_t capacities[] = { 0, MACHINE_PORTS, MACHINE_CONNECTIONS };
	bool good = read_section(p, &format_device, device, 0, MACHINE_MAX_QUEUES) &&
		    read_section(p, types[device], device, 0, capacities[device]);

	for (uint32_t i = 0; i < MACHINE_PORTS && good && device == MACHINE_CONSOLE; i++)
		good = !is_next(p, &format_input, device, i) ||
		       read_section(p, &format_input, device, i, MACHINE_INPUT);
	if (good && device == MACHINE_SOCKETS)
		good = read_section(p, &format_replies, device, 0, MACHINE_REPLIES);
	for (uint32_t i = 0; i < machine_queues(device) && good; i++)
		good = read_section(p, &format_queue, device, i, MACHINE_QUEUE_SIZE);
	return good;
}

void format_read(const uint8_t *bytes, size_t length, const uint8_t id[16], struct format_view *out)
{
	struct position p = { bytes, FORMAT_BEGIN, length - 4, out };
	bool good;

	*out = (struct format_view){ .reason = VIRTIO_SECTION_GOOD };
	good = read_envelope(bytes, length, id, out);
	for (uint32_t i = 0; i < MACHINE_DEVICES && good; i++)
		good = read_device(&p, i);
	/* All other sections must be optional, and are skipped. */
	while (good && read_header(&p, p.at)) {
		if (!(bytes[p.at + 26] & 1)) {
			(void)fault(out, VIRTIO_SECTION_UNKNOWN, p.at);
			return;
		}
		out->skipped++;
		p.at = next_of(&p, p.at);
	}
}
