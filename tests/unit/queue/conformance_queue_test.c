/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests clauses of virtio 1.4 that concern several functions together: the memory that a queue must
 * not touch, and the order in which a driver sees the stores of a completion.
 */
#define _DEFAULT_SOURCE
#include "../common/fixture.h"
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>
#include <virtio/reader.h>

#define SIZE 8u
#define OUT_BYTES 32u
#define IN_BYTES 43u
#define WRITTEN 33u /* bytes that the device writes */

/* A request of four buffers, which are not adjacent. */
static const struct virtio_mock_buffer request[] = {
	READABLE(FIXTURE_DATA, 5),
	READABLE(FIXTURE_DATA + 0x80, OUT_BYTES - 5),
	WRITABLE(FIXTURE_DATA + 0x100, 3),
	WRITABLE(FIXTURE_DATA + 0x180, IN_BYTES - 3),
};

/* Memory that the device touches */

struct area {
	uint64_t start, len;
	uint32_t access;
};

/*
 * A guest whose translation permits only the accesses that the specification permits. The
 * translation counts the accesses that it refuses.
 */
struct guarded {
	struct fixture f;
	struct area areas[8];
	uint32_t refused;
};

static int translate(void *context, uint64_t addr, uint64_t len, uint32_t access, struct virtio_translation *out)
{
	struct guarded *g = context;

	(void)len;
	for (uint32_t i = 0; i < COUNT(g->areas); i++) {
		const struct area *a = &g->areas[i];

		if (addr < a->start || addr - a->start >= a->len)
			continue;
		g->refused += (access & ~a->access) != 0;
		out->addr = addr;
		out->len = a->start + a->len - addr;
		out->access = a->access;
		return 0;
	}
	g->refused++;
	return VIRTIO_EFAULT;
}

/*
 * virtio 1.4, 2.7.5.1: the device may read descriptor tables, the available ring and readable
 * buffers. The device may write writable buffers. The device may read and write the used ring.
 */
static void permit(struct guarded *g)
{
	const uint32_t access[] = { VIRTIO_ACCESS_READ, VIRTIO_ACCESS_READ, VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE };

	for (uint32_t i = 0; i < 3; i++)
		g->areas[i] = (struct area){ g->f.config.addr[i],
					     virtio_queue_config_area_bytes(&g->f.config, (enum virtio_queue_area)i),
					     access[i] };
	for (uint32_t i = 0; i < COUNT(request); i++)
		g->areas[3 + i] = (struct area){ request[i].addr, request[i].len,
						 request[i].flags ? VIRTIO_ACCESS_WRITE : VIRTIO_ACCESS_READ };
	g->areas[7] = (struct area){ FIXTURE_TABLE, DESC_BYTES * COUNT(request), VIRTIO_ACCESS_READ };
	virtio_memory_map_set_translation(&g->f.device_map, translate, g);
}

/*
 * Makes a device's calls for one request, including an unpop, a walk, a resolution, and both kinds
 * of notification.
 */
static void serve(struct virtio_queue *queue, const uint8_t *out, const uint8_t *in)
{
	struct virtio_segment segments[OUT_BYTES + IN_BYTES];
	struct virtio_chain_segments c = { .segments = segments, .capacity = COUNT(segments) };
	struct virtio_chain chain = { 0 };
	struct virtio_reader reader;
	struct virtio_writer writer;
	struct virtio_desc desc;
	uint8_t got[OUT_BYTES];

	assert_int_equal(virtio_queue_disable_kicks(queue), 0);
	assert_int_equal(virtio_queue_enable_kicks(queue), 1);
	assert_int_equal(virtio_queue_pop(queue, &chain), 1);
	for (uint32_t i = 0; i < COUNT(request); i++)
		assert_int_equal(virtio_chain_next(&chain, &desc), 1);
	assert_int_equal(virtio_chain_next(&chain, &desc), 0);
	assert_int_equal(virtio_queue_unpop(queue, chain.token), 0);
	assert_int_equal(virtio_queue_pop(queue, &chain), 1);
	assert_int_equal(virtio_chain_resolve(&chain, &c), 0);
	virtio_reader_init(&reader, &c);
	virtio_writer_init(&writer, &c);
	assert_int_equal(virtio_reader_read_exact(&reader, got, OUT_BYTES), 0);
	assert_memory_equal(got, out, OUT_BYTES);
	assert_int_equal(virtio_reader_left(&reader), 0);
	assert_int_equal(virtio_writer_write_exact(&writer, in, WRITTEN), 0);
	assert_int_equal(virtio_queue_complete(queue, chain.token, WRITTEN), 0);
	(void)virtio_queue_needs_interrupt(queue);
	assert_int_equal(virtio_queue_enable_kicks(queue), 0);
}

/*
 * Guest memory must be as before, except for the used ring and the bytes of `in` at the start of
 * the writable buffers.
 */
static void expect_written(struct fixture *f, uint8_t *before, const uint8_t *in)
{
	const uint64_t used = f->config.addr[VIRTIO_QUEUE_USED] - FIXTURE_BASE;
	uint8_t now[FIXTURE_BYTES];

	fixture_read(f, FIXTURE_BASE, now, FIXTURE_BYTES);
	memcpy(before + (request[2].addr - FIXTURE_BASE), in, 3);
	memcpy(before + (request[3].addr - FIXTURE_BASE), in + 3, WRITTEN - 3);
	memcpy(before + used, now + used, virtio_queue_config_area_bytes(&f->config, VIRTIO_QUEUE_USED));
	assert_memory_equal(now, before, FIXTURE_BYTES);
}

static void serve_one(enum fixture_memory kind, uint32_t variant, bool guard)
{
	uint8_t before[FIXTURE_BYTES], out[OUT_BYTES], in[WRITTEN];
	const bool indirect = (variant & 1) != 0;
	struct vring_used_elem used = { 0, 0 };
	struct guarded g;

	memset(&g, 0, sizeof g);
	fixture_init(&g.f, kind, SIZE);
	g.f.config.indirect = indirect;
	g.f.config.event_idx = (variant & 2) != 0;
	g.f.config.in_order = (variant & 4) != 0;
	if (guard)
		permit(&g);
	fixture_start(&g.f);
	for (uint32_t i = 0; i < OUT_BYTES; i++)
		out[i] = (uint8_t)(i + 1);
	for (uint32_t i = 0; i < WRITTEN; i++)
		in[i] = (uint8_t)(0xf0 - i);
	fixture_write(&g.f, request[0].addr, out, 5);
	fixture_write(&g.f, request[1].addr, out + 5, OUT_BYTES - 5);
	assert_true((indirect ? virtio_mock_add_indirect(&g.f.mock, FIXTURE_TABLE, request, COUNT(request))
			      : virtio_mock_add(&g.f.mock, request, COUNT(request))) >= 0);
	fixture_read(&g.f, FIXTURE_BASE, before, sizeof before);
	serve(&g.f.queue, out, in);
	expect_written(&g.f, before, in);
	assert_int_equal(virtio_mock_pop_used(&g.f.mock, &used), 1);
	assert_int_equal(used.len, WRITTEN);
	assert_int_equal(g.refused, 0);
}

/*
 * virtio 1.4, 2.7.5.1: a device never writes a descriptor, an indirect table or a readable buffer.
 */
static void conformance_request_changes_used_ring_and_writable_buffers_only(void **state)
{
	for (uint32_t variant = 0; variant < 8; variant++)
		serve_one(fixture_kind(state), variant, false);
}

/* As above, with a translation that grants each area only the accesses that the device needs. */
static void conformance_request_reads_no_writable_buffer(void **state)
{
	for (uint32_t variant = 0; variant < 8; variant++)
		serve_one(fixture_kind(state), variant, true);
}

/* Order of the stores */

/* A guest that reads its used ring whenever the device looks up an address. */
struct watched {
	struct fixture f;
	struct vring_used_elem expected[SIZE]; /* elements that the ring must hold */
	uint32_t looks;
	uint32_t early; /* elements that the index covered before they were complete */
};

static int watch(void *context, uint64_t addr, uint64_t len, uint32_t access, struct virtio_translation *out)
{
	struct watched *w = context;
	uint16_t index = 0;

	(void)len;
	(void)access;
	w->looks++;
	(void)virtio_mock_get(&w->f.mock, VIRTIO_MOCK_USED_IDX, &index);
	for (uint32_t i = 0; i < index; i++) {
		struct vring_used_elem element = { 0, 0 };

		w->early += i >= SIZE || virtio_mock_get_used_entry(&w->f.mock, i, &element) != 0 ||
			    element.id != w->expected[i].id || element.len != w->expected[i].len;
	}
	*out = (struct virtio_translation){ addr, 1, VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE };
	return 0;
}

/*
 * virtio 1.4, 2.7.8.2: the device writes the length before the index. Requests are completed one by
 * one and in a batch, with and without a delay by IN_ORDER.
 */
static void conformance_used_length_is_there_before_used_index(void **state)
{
	for (uint32_t variant = 0; variant < 4; variant++) {
		const bool in_order = (variant & 1) != 0, batch = (variant & 2) != 0;
		struct virtio_completion completions[3];
		struct virtio_token tokens[3];
		struct watched w;

		memset(&w, 0, sizeof w);
		fixture_init(&w.f, fixture_kind(state), SIZE);
		w.f.config.in_order = in_order;
		virtio_memory_map_set_translation(&w.f.device_map, watch, &w);
		fixture_start(&w.f);
		fixture_pop_some(&w.f, tokens, 3);
		for (uint32_t i = 0; i < 3; i++) {
			/*
			 * Completes the last request first, so under IN_ORDER two completions wait
			 * for the third.
			 */
			const uint32_t at = in_order ? 2 - i : i;

			completions[i] = (struct virtio_completion){ tokens[2 - i], 0x01020304 + i };
			w.expected[at] = (struct vring_used_elem){ virtio_token_head(tokens[2 - i]), 0x01020304 + i };
		}
		w.looks = 0;
		if (batch)
			assert_int_equal(virtio_queue_complete_batch(&w.f.queue, completions, 3), 0);
		for (uint32_t i = 0; i < 3 && !batch; i++)
			assert_int_equal(virtio_queue_complete(&w.f.queue, completions[i].token, completions[i].len),
					 0);
		assert_int_equal(fixture_get(&w.f, VIRTIO_MOCK_USED_IDX), 3);
		/*
		 * The guest must have read the ring often enough: once for the look-up of each byte
		 * of 3 elements and of the index.
		 */
		assert_true(w.looks >= 3 * 8 + 2);
		assert_int_equal(w.early, 0);
	}
}

/*
 * As above, for a ring in one region. A store to such a ring needs no look-up. Therefore the test
 * write-protects the page of the used index, and catches the store of the index. All other stores
 * must have happened by then.
 */
#define PAGES_SIZE 32768u /* queue size; most elements are in other pages than the index */
#define PAGES_BYTES 0x100000u
#define PAGES_DATA 0xf0000u
#define FAR_SLOT 30000u

static struct {
	uint8_t *ram;
	size_t page; /* page size of the host, in bytes */
	struct virtio_mock mock;
	struct virtio_memory_map map;
	struct virtio_region region;
	struct virtio_mock_slot slots[PAGES_SIZE];
	struct virtio_inflight inflight[PAGES_SIZE];
	struct virtio_queue queue;
	uint32_t count; /* number of completions */
	volatile sig_atomic_t caught;
	volatile sig_atomic_t early;
} pages;

static const uint8_t payload[4] = { 0xd1, 0xd2, 0xd3, 0xd4 };

static uint8_t *index_page(void)
{
	const uint64_t at = virtio_mock_field_addr(&pages.mock, VIRTIO_MOCK_USED_IDX);

	return pages.ram + at / pages.page * pages.page;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	const uint8_t *elements = pages.ram + virtio_mock_used_entry_addr(&pages.mock, FAR_SLOT);
	const uint8_t *index = pages.ram + virtio_mock_field_addr(&pages.mock, VIRTIO_MOCK_USED_IDX);

	(void)number;
	(void)context;
	if (info->si_addr != index || pages.caught)
		_exit(99);
	pages.caught = 1;
	for (uint32_t i = 0; i < pages.count; i++)
		pages.early |= virtio_get_le32(elements + USED_BYTES * (size_t)i + 4) != 1 + i ||
			       memcmp(pages.ram + PAGES_DATA + 16 * (size_t)i, payload, 1 + i) != 0;
	(void)mprotect(index_page(), pages.page, PROT_READ | PROT_WRITE);
}

static void setup_pages(bool in_order)
{
	pages.ram = mmap(NULL, PAGES_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(pages.ram != MAP_FAILED);
	pages.page = (size_t)sysconf(_SC_PAGESIZE);
	pages.caught = pages.early = 0;
	pages.region = (struct virtio_region){ .addr = 0, .len = PAGES_BYTES, .host = pages.ram };
	assert_int_equal(virtio_memory_map_init(&pages.map, &pages.region, 1), 0);
	assert_int_equal(virtio_mock_init(&pages.mock, &pages.map, 0, PAGES_SIZE, pages.slots, PAGES_SIZE), 0);
	assert_true(virtio_mock_end(&pages.mock) <= PAGES_DATA);
	pages.mock.in_order = in_order;
	assert_int_equal(virtio_mock_create_queue(&pages.mock, &pages.queue, pages.inflight, PAGES_SIZE, &pages.map),
			 0);
	assert_int_equal(virtio_mock_seek(&pages.mock, FAR_SLOT), 0);
	assert_int_equal(virtio_queue_set_next_avail(&pages.queue, FAR_SLOT), 0);
	assert_int_equal(virtio_queue_set_next_used(&pages.queue, FAR_SLOT), 0);
}

/*
 * Serves pages.count requests of 16 writable bytes. The device writes the first four bytes of each
 * request, and the completion of request i reports 1 + i bytes.
 */
static void complete_pages(struct virtio_completion *completions)
{
	for (uint32_t i = 0; i < pages.count; i++) {
		const struct virtio_mock_buffer one = WRITABLE(PAGES_DATA + 16 * i, 16);
		struct virtio_chain chain = { 0 };

		assert_true(virtio_mock_add(&pages.mock, &one, 1) >= 0);
		assert_int_equal(virtio_queue_pop(&pages.queue, &chain), 1);
		assert_int_equal(virtio_memory_write(chain.memory, one.addr, payload, sizeof payload), 0);
		completions[i] = (struct virtio_completion){ chain.token, 1 + i };
	}
	assert_int_equal(mprotect(index_page(), pages.page, PROT_READ), 0);
	if (pages.count == 1)
		assert_int_equal(virtio_queue_complete(&pages.queue, completions[0].token, completions[0].len), 0);
	else
		assert_int_equal(virtio_queue_complete_batch(&pages.queue, completions, pages.count), 0);
}

static void conformance_used_index_is_stored_last(void **state)
{
	struct sigaction catch = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO }, before;

	(void)state;
	assert_int_equal(sigaction(SIGSEGV, &catch, &before), 0);
	for (uint32_t variant = 0; variant < 4; variant++) {
		struct virtio_completion completions[3];
		uint16_t index = 0;

		pages.count = variant & 1 ? 3 : 1;
		setup_pages((variant & 2) != 0);
		complete_pages(completions);
		assert_int_equal(virtio_mock_get(&pages.mock, VIRTIO_MOCK_USED_IDX, &index), 0);
		assert_int_equal(index, FAR_SLOT + pages.count);
		assert_int_equal(pages.caught, 1);
		assert_int_equal(pages.early, 0);
		assert_int_equal(munmap(pages.ram, PAGES_BYTES), 0);
	}
	assert_int_equal(sigaction(SIGSEGV, &before, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_ON(conformance_request_changes_used_ring_and_writable_buffers_only, FLAT),
		FIXTURE_ON(conformance_request_changes_used_ring_and_writable_buffers_only, ONE_BYTE),
		FIXTURE_ON(conformance_request_reads_no_writable_buffer, FLAT),
		FIXTURE_ON(conformance_request_reads_no_writable_buffer, ONE_BYTE),
		FIXTURE_ON(conformance_used_length_is_there_before_used_index, FLAT),
		FIXTURE_ON(conformance_used_length_is_there_before_used_index, ONE_BYTE),
		cmocka_unit_test(conformance_used_index_is_stored_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
