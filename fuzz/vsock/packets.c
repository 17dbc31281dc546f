/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Packets in chains of any layout, in guest memory that is cut into regions at any points. The
 * model handles each byte of the driver's buffers separately.
 */
#include <virtio/queue_mock.h>
#include <virtio/reader.h>

#include "packets.h"
#include "steps.h"

#define RAM 4096u
#define DATA 1024u /* address of the data area; the rings lie below this area */
#define SIZE 16u
#define REGIONS 24u
#define SEGMENTS 64u
#define LOG_SHIFT 3u

struct packets {
	struct fuzz_input *in;
	uint8_t *ram, *shadow;
	bool hole[RAM];   /* the byte is in no region */
	bool logged[RAM]; /* the byte's region has a dirty log */
	struct virtio_region regions[REGIONS];
	uint32_t region_count;
	uint8_t bitmap[RAM >> LOG_SHIFT >> 3], bitmap_shadow[RAM >> LOG_SHIFT >> 3];
	struct virtio_dirty_log log;
	struct virtio_memory_map map, driver_map;
	struct virtio_region whole;
	struct virtio_mock mock;
	struct virtio_mock_slot slots[SIZE];
	struct virtio_inflight inflight[SIZE];
	struct virtio_queue queue;
	struct virtio_segment segments[SEGMENTS];
	struct virtio_vsock_packet packet;
	uint32_t max_payload, capacity;
	/* The current chain. */
	struct virtio_mock_buffer buffers[SIZE];
	uint32_t count;
};

static void add_region(struct packets *p, uint32_t at, uint32_t len, uint8_t how)
{
	struct virtio_region *r = &p->regions[p->region_count];

	for (uint32_t i = 0; i < len; i++) {
		p->hole[at + i] = (how & 3) == 3;
		p->logged[at + i] = (how & 3) == 2;
	}
	if (len == 0 || (how & 3) == 3)
		return;
	r->addr = at;
	r->len = len;
	r->host = p->ram + at;
	r->dirty = (how & 3) == 2 ? &p->log : NULL;
	p->region_count++;
}

static void make_memory(struct packets *p)
{
	uint32_t at = DATA;

	p->ram = fuzz_alloc(RAM);
	p->shadow = fuzz_alloc(RAM);
	p->log = (struct virtio_dirty_log){ p->bitmap, sizeof p->bitmap, 0, LOG_SHIFT, 1 };
	add_region(p, 0, DATA, 0);
	for (uint32_t cuts = fuzz_u8(p->in) % 20; cuts > 0 && at < RAM; cuts--) {
		uint32_t len = fuzz_u8(p->in);

		len = len < RAM - at ? len : RAM - at;
		add_region(p, at, len, fuzz_u8(p->in));
		at += len;
	}
	add_region(p, at, RAM - at, fuzz_u8(p->in) & 2);
	p->whole = (struct virtio_region){ .addr = 0, .len = RAM, .host = p->ram };
	FUZZ_CHECK(virtio_memory_map_init(&p->map, p->regions, p->region_count) == 0, "a map is refused");
	FUZZ_CHECK(virtio_memory_map_init(&p->driver_map, &p->whole, 1) == 0, "a map is refused");
}

/* Returns the address of byte number @place of the chain, or RAM if the chain has no such byte. */
static uint32_t byte_at(const struct packets *p, uint64_t place)
{
	for (uint32_t i = 0; i < p->count; i++) {
		if (place < p->buffers[i].len)
			return (uint32_t)(p->buffers[i].addr + place);
		place -= p->buffers[i].len;
	}
	return RAM;
}

static bool is_good(const struct packets *p, uint64_t addr, uint64_t len)
{
	if (addr > RAM || len > RAM - addr)
		return len == 0;
	for (uint64_t i = 0; i < len; i++) {
		if (p->hole[addr + i])
			return false;
	}
	return true;
}

/* The properties of a chain before it is served. */
struct chain {
	bool wrong_direction, bad;
	/* `bytes` is the length of all buffers, `front` the length before the first bad buffer. */
	uint64_t bytes, front;
};

static struct chain judge(const struct packets *p, bool tx)
{
	struct chain c = { 0 };

	for (uint32_t i = 0; i < p->count; i++) {
		const bool writable = p->buffers[i].flags & VRING_DESC_F_WRITE;

		c.wrong_direction |= writable == tx && p->buffers[i].len != 0;
		c.bad |= !is_good(p, p->buffers[i].addr, p->buffers[i].len);
		c.bytes += p->buffers[i].len;
		if (!c.bad)
			c.front = c.bytes;
	}
	return c;
}

static void offer(struct packets *p, bool tx)
{
	const uint8_t how = fuzz_u8(p->in);
	int head;

	p->count = how % 8 + 1;
	for (uint32_t i = 0; i < p->count; i++) {
		struct virtio_mock_buffer *b = &p->buffers[i];
		const uint8_t kind = fuzz_u8(p->in);

		b->addr = DATA + (uint64_t)fuzz_u8(p->in) * 12;
		b->len = kind & 1 ? 44 : kind & 2 ? fuzz_u8(p->in) : kind & 4 ? 1 : kind >> 3;
		b->flags = tx ? 0 : VRING_DESC_F_WRITE;
		if (kind == 0xff)
			b->addr = fuzz_number(p->in);
		/* Makes one buffer of the wrong direction, but keeps readable buffers first. */
		if (i + 1 == p->count && tx && how & 0x40)
			b->flags = VRING_DESC_F_WRITE;
		if (i == 0 && !tx && how & 0x40)
			b->flags = 0;
	}
	/* Copies bytes of the input to memory. The bytes can form a header or other data. */
	for (uint32_t n = fuzz_u8(p->in) % 64, at = fuzz_u8(p->in) * 12u; n > 0; n--, at++) {
		const uint8_t byte = fuzz_u8(p->in);

		p->ram[DATA + at % (RAM - DATA)] = byte;
		p->shadow[DATA + at % (RAM - DATA)] = byte;
	}
	head = virtio_mock_add(&p->mock, p->buffers, p->count);
	FUZZ_CHECK(head >= 0, "the driver cannot add a chain");
	memcpy(p->shadow, p->ram, DATA);
}

static void check_memory(struct packets *p, const char *when)
{
	FUZZ_CHECK(!memcmp(p->ram + DATA, p->shadow + DATA, RAM - DATA), "memory differs after %s", when);
	FUZZ_CHECK(!memcmp(p->bitmap, p->bitmap_shadow, sizeof p->bitmap), "dirty log differs after %s", when);
}

static void complete(struct packets *p, uint32_t len)
{
	struct vring_used_elem used;

	if (len == 0)
		FUZZ_CHECK(virtio_vsock_complete(&p->queue, &p->packet) == 0, "virtio_vsock_complete() failed");
	FUZZ_CHECK(virtio_mock_pop_used(&p->mock, &used) == 1 && used.len == len,
		   "the used element is missing, or has a wrong length");
}

/*
 * Checks that a packet with an error has no data. Also checks that the chain or the capacity of the
 * array of segments can cause this error.
 */
static void check_error(const struct packets *p, const struct chain *c, int error, bool short_of)
{
	const bool few = error == VIRTIO_ENOBUFS;

	FUZZ_CHECK(p->packet.data.readable == 0 && p->packet.data.writable == 0 && p->packet.data.readable_bytes == 0 &&
			   p->packet.data.writable_bytes == 0,
		   "a packet with an error has data");
	FUZZ_CHECK((error == VIRTIO_EFAULT && c->bad) || (few && p->capacity < SEGMENTS) ||
			   (error == VIRTIO_EORDER && c->wrong_direction) || (error == VIRTIO_ESHORT && short_of) ||
			   (error == VIRTIO_ESHORT && c->wrong_direction),
		   "a packet has wrong error %d", error);
}

static void serve_tx(struct packets *p)
{
	const struct chain c = judge(p, true);
	struct virtio_reader reader;
	uint8_t header[44] = { 0 }, byte;
	uint32_t len;
	int got;

	memset(&p->packet.header, 0xcc, sizeof p->packet.header);
	got = virtio_vsock_tx_pop(&p->queue, &p->packet);
	FUZZ_CHECK(got == 1, "tx_pop returned %d", got);
	for (uint32_t i = 0; i < 44 && c.front >= 44; i++)
		header[i] = p->shadow[byte_at(p, i)];
	if (!c.wrong_direction && p->packet.error != VIRTIO_ENOBUFS)
		FUZZ_CHECK(!memcmp(&p->packet.header, header, 44) || (c.bad && virtio_vsock_op(&p->packet.header) == 0),
			   "the packet has a wrong header");
	len = virtio_vsock_len(&p->packet.header);
	if (p->packet.error == VIRTIO_EBYTES) {
		FUZZ_CHECK(len > p->max_payload && p->packet.data.readable == 0,
			   "VIRTIO_EBYTES, but the payload is short enough, or there is data");
	} else if (p->packet.error) {
		check_error(p, &c, p->packet.error, c.bytes < 44 || len > c.bytes - 44);
	} else {
		FUZZ_CHECK(!c.wrong_direction && !c.bad && len <= p->max_payload && c.bytes >= 44 &&
				   len <= c.bytes - 44,
			   "a bad packet has no error");
		FUZZ_CHECK(p->packet.data.readable_bytes == len && p->packet.data.writable == 0 &&
				   virtio_segments_bytes(p->packet.data.segments, p->packet.data.readable) == len,
			   "the payload has a wrong length");
		virtio_reader_init(&reader, &p->packet.data);
		for (uint32_t i = 0; i < len; i++)
			FUZZ_CHECK(virtio_reader_read(&reader, &byte, 1) == 1 && byte == p->shadow[byte_at(p, 44 + i)],
				   "byte %u of the payload is wrong", i);
	}
	/* A packet of the transmit queue cannot be committed. */
	FUZZ_CHECK(virtio_vsock_rx_commit(&p->queue, &p->packet) == VIRTIO_EINVAL,
		   "the commit of a transmit packet did not fail");
	check_memory(p, "tx");
	complete(p, 0);
}

static void mark(struct packets *p, uint32_t at)
{
	if (p->logged[at])
		p->bitmap_shadow[at >> LOG_SHIFT >> 3] |= (uint8_t)(1u << (at >> LOG_SHIFT & 7));
}

/*
 * Writes the payload directly to guest memory, as a read from a socket does.
 * virtio_vsock_rx_commit() must then record these bytes in the dirty log.
 */
static void write_payload_directly(struct packets *p, uint32_t bytes)
{
	struct virtio_iovec iov[SEGMENTS];
	struct virtio_writer writer;
	uint32_t count, done = 0;
	uint64_t filled;

	virtio_writer_init(&writer, &p->packet.data);
	count = virtio_writer_iovec(&writer, bytes, iov, SEGMENTS, &filled);
	FUZZ_CHECK(filled == bytes, "the vector has a wrong length");
	for (uint32_t i = 0; i < count; i++) {
		for (size_t k = 0; k < iov[i].len; k++, done++) {
			((uint8_t *)iov[i].base)[k] = (uint8_t)(done + 1);
			p->shadow[byte_at(p, 44 + done)] = (uint8_t)(done + 1);
		}
	}
}

static void write_payload(struct packets *p, uint32_t bytes)
{
	struct virtio_writer writer;

	virtio_writer_init(&writer, &p->packet.data);
	for (uint32_t i = 0; i < bytes; i++) {
		const uint8_t byte = (uint8_t)(i + 1);

		FUZZ_CHECK(virtio_writer_write(&writer, &byte, 1) == 1, "the writer has no room");
		p->shadow[byte_at(p, 44 + i)] = byte;
		mark(p, byte_at(p, 44 + i));
	}
}

static void serve_rx(struct packets *p, bool directly)
{
	const struct chain c = judge(p, false);
	const uint32_t wanted = (uint32_t)fuzz_number(p->in);
	uint64_t room;
	int got;

	memset(&p->packet.header, 0x5a, sizeof p->packet.header);
	virtio_vsock_set_len(&p->packet.header, wanted);
	got = virtio_vsock_rx_pop(&p->queue, &p->packet);
	FUZZ_CHECK(got == 1, "rx_pop returned %d", got);
	check_memory(p, "rx pop");
	if (p->packet.error) {
		check_error(p, &c, p->packet.error, c.bytes < 44);
		FUZZ_CHECK(virtio_vsock_rx_commit(&p->queue, &p->packet) == VIRTIO_EINVAL,
			   "the commit of a packet with an error did not fail");
		complete(p, 0);
		check_memory(p, "an rx error");
		return;
	}
	FUZZ_CHECK(!c.wrong_direction && !c.bad && c.bytes >= 44, "a bad chain has no error");
	room = c.bytes - 44 < p->max_payload ? c.bytes - 44 : p->max_payload;
	FUZZ_CHECK(p->packet.data.writable_bytes == room && p->packet.data.readable == 0 &&
			   virtio_segments_bytes(p->packet.data.segments, p->packet.data.writable) == room,
		   "the room for the payload has a wrong length");
	if (wanted > room) {
		FUZZ_CHECK(virtio_vsock_rx_commit(&p->queue, &p->packet) == VIRTIO_EINVAL,
			   "the commit of too long a payload did not fail");
		complete(p, 0);
		check_memory(p, "a refused commit");
		return;
	}
	if (directly)
		write_payload_directly(p, wanted);
	else
		write_payload(p, wanted);
	check_memory(p, "the payload");
	FUZZ_CHECK(virtio_vsock_rx_commit(&p->queue, &p->packet) == 0, "virtio_vsock_rx_commit() failed");
	/* The header is written last, and may overwrite payload in an overlapping buffer. */
	for (uint32_t i = 0; i < 44; i++)
		p->shadow[byte_at(p, i)] = ((const uint8_t *)&p->packet.header)[i];
	for (uint32_t i = 0; i < 44 + wanted; i++)
		mark(p, byte_at(p, i));
	check_memory(p, "a commit");
	complete(p, 44 + wanted);
	FUZZ_CHECK(virtio_vsock_rx_commit(&p->queue, &p->packet) == VIRTIO_ESTALE,
		   "a second commit did not return ESTALE");
	check_memory(p, "a stale commit");
}

/* Makes a packet from buffers in host memory that is not guest memory. */
static void over_buffers(struct packets *p)
{
	uint8_t header[44], payload[128];
	struct virtio_iovec iov[4] = { { NULL, 0 } };
	const uint32_t count = fuzz_u8(p->in) % 5;
	uint32_t bytes = 0, used = 0, len;
	int got, wanted = 0;

	for (uint32_t i = 0; i < sizeof header; i++)
		header[i] = fuzz_u8(p->in);
	memset(payload, 0x77, sizeof payload);
	for (uint32_t i = 0; i < count && i < 4; i++) {
		iov[i].base = payload + bytes;
		iov[i].len = fuzz_u8(p->in) % 32;
		bytes += (uint32_t)iov[i].len;
		used += iov[i].len != 0;
	}
	len = virtio_get_le32(header + 24);
	if (used > p->capacity)
		wanted = VIRTIO_ENOBUFS;
	else if (len > p->max_payload)
		wanted = VIRTIO_EBYTES;
	else if (len > bytes)
		wanted = VIRTIO_ESHORT;
	got = virtio_vsock_packet_from_buffers(&p->packet, header, iov, count < 4 ? count : 4);
	FUZZ_CHECK(got == wanted && p->packet.error == wanted, "packet_from_buffers returned %d, not %d", got, wanted);
	FUZZ_CHECK(!memcmp(&p->packet.header, header, 44), "the packet has a wrong header");
	FUZZ_CHECK(p->packet.data.readable_bytes == (got ? 0 : len), "the packet has a wrong payload length");
	FUZZ_CHECK(got || virtio_segments_bytes(p->packet.data.segments, p->packet.data.readable) == len,
		   "the segments of the packet have a wrong length");
}

void vsock_packets(struct fuzz_input *in)
{
	struct packets *p = fuzz_alloc(sizeof *p);

	p->in = in;
	make_memory(p);
	p->max_payload = (uint32_t)fuzz_number(in);
	p->capacity = fuzz_u8(in) % SEGMENTS + 1;
	FUZZ_CHECK(virtio_vsock_packet_init(&p->packet, p->segments, p->capacity, p->max_payload) == 0,
		   "virtio_vsock_packet_init() failed");
	if (p->max_payload > UINT32_MAX - 44)
		p->max_payload = UINT32_MAX - 44;
	FUZZ_CHECK(virtio_mock_init(&p->mock, &p->driver_map, 0, SIZE, p->slots, SIZE) == 0,
		   "virtio_mock_init() failed");
	FUZZ_CHECK(virtio_mock_create_queue(&p->mock, &p->queue, p->inflight, SIZE, &p->map) == 0,
		   "virtio_mock_create_queue() failed");
	for (uint32_t i = 0; i < 60 && in->left > 0; i++) {
		const uint8_t step = fuzz_u8(in);

		if ((step & 3) == VSOCK_BUFFERS) {
			over_buffers(p);
			continue;
		}
		offer(p, step & VSOCK_TX_CHAIN);
		/* Without this call, the pop reads the available index itself. */
		if (!(step & VSOCK_UNSEEN))
			FUZZ_CHECK(virtio_queue_available(&p->queue) == 1, "no chain is available");
		if (step & VSOCK_TX_CHAIN)
			serve_tx(p);
		else
			serve_rx(p, step & VSOCK_DIRECTLY);
	}
	free(p->ram);
	free(p->shadow);
	free(p);
}
