/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The device's half of the block harness. It serves requests at once, or in steps in any order. */
#include "device.h"
#include "any.h"
#include "backend.h"
#include "disk.h"
#include "driver.h"
#include "steps.h"

#define NO_ARGUMENT 0x5a /* fills memory before a call, to show what the call changes */

static void drop(struct blk_slot *s)
{
	free(s->ask);
	free(s->request);
	free(s->storage.segments);
	free(s->storage.ranges);
	memset(s, 0, sizeof *s);
}

void blk_drop_requests(struct blk_harness *h)
{
	for (uint32_t i = 0; i < MODEL_MAX_SIZE; i++)
		drop(&h->requests[i]);
}

/* Chooses a slot in use, even of a completed request. Returns NULL if no slot is in use. */
static struct blk_slot *pick(struct blk_harness *h)
{
	const uint8_t first = fuzz_u8(&h->in);
	uint32_t held = 0, n;

	for (uint32_t i = 0; i < MODEL_MAX_SIZE; i++)
		held += h->requests[i].held;
	n = held ? first % held : 0;
	for (uint32_t i = 0; i < MODEL_MAX_SIZE && held; i++)
		if (h->requests[i].held && n-- == 0)
			return &h->requests[i];
	return NULL;
}

/* Checks that a completion with a stale token changes no byte, dirty mark or counter. */
static void complete_again(struct blk_harness *h, const struct blk_slot *s)
{
	const struct virtio_blk_result result = { .status = VIRTIO_BLK_S_IOERR,
						  .written = s->ask->in.bytes,
						  .touched = s->ask->in.bytes,
						  .error = VIRTIO_EIO };
	const int got = virtio_blk_complete(&h->queue, s->request, &result, &h->stats);

	FUZZ_CHECK(got == VIRTIO_ESTALE, "a stale completion returned %d", got);
	shadow_compare(h->shadow);
	blk_compare(h);
}

/* Returns the slot for a head's next request. Drops the earlier request in that slot. */
static struct blk_slot *take_slot(struct blk_harness *h, uint16_t head)
{
	struct blk_slot *s = &h->requests[head];

	if (s->completed)
		complete_again(h, s);
	drop(s);
	s->held = true;
	return s;
}

static struct blk_slot *pop(struct blk_harness *h)
{
	struct virtio_chain chain = { .memory = NULL };
	struct model_walk walk;
	struct blk_slot *s;
	const int got = virtio_queue_pop(&h->queue, &chain);

	model_pop(&h->model, &walk, got, &chain);
	if (got != 1)
		return NULL;
	s = take_slot(h, virtio_token_head(chain.token));
	s->chain = chain;
	s->walk = walk;
	return s;
}

/* Parsing */

/* Allocates storage of the exact size, and fills the memory of the request with a pattern. */
static void prepare(struct blk_harness *h, struct blk_slot *s)
{
	struct virtio_blk_request *r = fuzz_alloc(sizeof *r);
	struct virtio_blk_storage *storage = &s->storage;
	uint32_t capacity;

	memset(r, NO_ARGUMENT, sizeof *r);
	storage->segment_capacity = h->segment_capacity;
	storage->range_capacity = h->range_capacity;
	storage->segments = fuzz_alloc(sizeof *storage->segments * (h->segment_capacity ? h->segment_capacity : 1));
	if (h->range_capacity)
		storage->ranges = fuzz_alloc(sizeof *storage->ranges * h->range_capacity);
	if (h->segment_capacity == 0) {
		FUZZ_CHECK(virtio_blk_request_init(r, storage) == VIRTIO_EINVAL,
			   "a request without segments is accepted");
		for (size_t i = 0; i < sizeof *r; i++)
			FUZZ_CHECK(((const uint8_t *)r)[i] == NO_ARGUMENT, "a failed init changed the request");
		storage->segment_capacity = 1;
	}
	FUZZ_CHECK(virtio_blk_request_init(r, storage) == 0, "virtio_blk_request_init() failed");
	capacity = r->base.data.capacity;
	memset(&r->base.token, NO_ARGUMENT, sizeof r->base - offsetof(struct virtio_request, token));
	r->base.data.capacity = capacity;
	r->type = r->range_count = 0x5a5a5a5a;
	r->sector = 0x5a5a5a5a;
	s->request = r;
}

/* Makes the model parse the request that is in memory now. */
static void expect(struct blk_harness *h, struct blk_slot *s)
{
	prepare(h, s);
	s->ask = fuzz_alloc(sizeof *s->ask);
	model_expect_resolve(&h->model, &s->walk, &s->ask->chain);
	blk_model_parse(&h->model, s->ask, s->storage.segment_capacity, s->storage.range_capacity);
	s->progress.ask = s->ask;
	s->progress.accepted = blk_model_check(&h->disk, s->ask) == BLK_STATUS_BIT(VIRTIO_BLK_S_OK);
}

static void first_error(struct blk_harness *h, int error)
{
	if (h->disk.stats.first_error == 0)
		h->disk.stats.first_error = error;
}

/* Counts an error of a request as the queue does. */
static void count_fault(struct blk_harness *h, const struct blk_slot *s, int error)
{
	struct virtio_queue_stats *stats = &h->model.stats;

	if (error == VIRTIO_ENOTMAPPED) {
		stats->not_mapped++;
		return;
	}
	stats->too_many_segments += error == VIRTIO_ENOBUFS;
	if (!s->ask->chain.errors)
		return;
	stats->chain_faults++;
	if (stats->first_error)
		return;
	stats->first_error = error;
	stats->first_head = (uint16_t)virtio_token_head(s->chain.token);
	stats->first_position = h->model.next_avail;
}

static void check_segment(const struct blk_harness *h, const struct virtio_segment *s, const struct model_piece *p,
			  uint64_t within)
{
	FUZZ_CHECK((uint8_t *)s->host == shadow_host(h->shadow, &p->region) + within, "a segment's host is wrong");
	FUZZ_CHECK(s->addr - p->addr == within - p->offset, "wrong segment address %#llx", (unsigned long long)s->addr);
	FUZZ_CHECK(shadow_same_region(h->map, s->region, &p->region), "a segment has a wrong region");
}

static void check_data(const struct blk_harness *h, const struct blk_ask *ask, struct virtio_blk_data data,
		       const struct blk_run *run)
{
	uint64_t offset = 0;

	FUZZ_CHECK(data.bytes == run->bytes, "the data has the wrong length %llu", (unsigned long long)data.bytes);
	for (uint32_t i = 0; i < data.count; i++) {
		uint64_t within, here;
		const struct model_piece *p;

		FUZZ_CHECK(offset < run->bytes, "the data has too many segments");
		p = blk_find(&ask->chain, run, offset, &within, &here);
		check_segment(h, &data.segments[i], p, within);
		FUZZ_CHECK(data.segments[i].len == here, "a segment has the wrong length %llu",
			   (unsigned long long)data.segments[i].len);
		offset += here;
	}
	FUZZ_CHECK(offset == run->bytes, "the data has too few segments");
}

static void check_ranges(const struct blk_ask *ask, const struct virtio_blk_request *r)
{
	FUZZ_CHECK(r->range_count == ask->range_count, "wrong number of ranges: %u", r->range_count);
	for (uint32_t i = 0; i < ask->range_count; i++)
		FUZZ_CHECK(r->ranges[i].sector == ask->ranges[i].sector &&
				   r->ranges[i].sectors == ask->ranges[i].sectors &&
				   r->ranges[i].flags == ask->ranges[i].flags,
			   "range %u is wrong", i);
}

static void check_request(const struct blk_harness *h, const struct blk_slot *s)
{
	const struct virtio_blk_request *r = s->request;
	const struct virtio_segment *status = &r->base.data.last_writable;
	const struct blk_ask *ask = s->ask;

	FUZZ_CHECK(r->base.token.value == s->chain.token.value, "wrong token");
	FUZZ_CHECK(ask->errors ? fuzz_error_bit(r->base.error) & ask->errors : r->base.error == 0,
		   "the request has error %d, allowed set %#llx", r->base.error, (unsigned long long)ask->errors);
	FUZZ_CHECK(r->type == ask->type && r->sector == ask->sector, "wrong type %u, or wrong sector", r->type);
	check_data(h, ask, virtio_blk_out(r), &ask->out);
	check_data(h, ask, virtio_blk_in(r), &ask->in);
	FUZZ_CHECK(status->len == ask->answerable, "wrong length of the status: %llu", (unsigned long long)status->len);
	if (ask->answerable)
		check_segment(h, status, &ask->status, ask->status.offset);
	check_ranges(ask, r);
}

/* Checks a parse. If memory is not mapped, returns false, and only the header may have changed. */
static bool parsed(struct blk_harness *h, struct blk_slot *s, const struct virtio_blk_request *before, int got)
{
	const uint64_t waits = fuzz_error_bit(VIRTIO_ENOTMAPPED);
	const struct blk_ask *ask = s->ask;

	if (got == VIRTIO_ENOTMAPPED) {
		FUZZ_CHECK(ask->errors & waits, "VIRTIO_ENOTMAPPED is not among the allowed errors");
		memcpy(s->request->header, before->header, sizeof before->header);
		FUZZ_CHECK(memcmp(s->request, before, sizeof *before) == 0, "a failed parse changed the request");
		count_fault(h, s, got);
		return false;
	}
	FUZZ_CHECK(!ask->waits && ask->errors != waits, "a page isn't mapped yet, but the parse returned %d", got);
	check_request(h, s);
	count_fault(h, s, s->request->base.error);
	return true;
}

/* Unpops a request whose memory is not mapped yet. If the unpop fails, completes the request. */
static void not_mapped(struct blk_harness *h, struct blk_slot *s)
{
	const struct virtio_completion nothing = { s->chain.token, 0 };
	const int got = virtio_queue_unpop(&h->queue, s->chain.token);

	model_unpop(&h->model, s->chain.token, got);
	if (got)
		model_complete(&h->model, &nothing, 1, virtio_queue_complete(&h->queue, s->chain.token, 0));
	drop(s);
}

static void device_parse(struct blk_harness *h)
{
	struct virtio_blk_request before;
	struct blk_slot *s = pick(h);
	int got;

	if (!s || s->ask)
		return;
	expect(h, s);
	memcpy(&before, s->request, sizeof before);
	got = virtio_blk_parse(&s->chain, s->request);
	FUZZ_CHECK(got == 0 || got == VIRTIO_ENOTMAPPED, "parse returned %d", got);
	if (!parsed(h, s, &before, got))
		not_mapped(h, s);
}

/* The outcome of a request */

/* Puts the device's own answer, an ID or a lifetime, into the shadow of the writable buffers. */
static void put_answer(struct blk_harness *h, struct blk_slot *s)
{
	struct blk_progress *p = &s->progress;
	const uint8_t *bytes = s->ask->type == VIRTIO_BLK_T_GET_ID ? (const uint8_t *)h->disk.options.id : p->wear;
	const uint64_t len = blk_model_written(p, VIRTIO_BLK_S_OK);

	if (s->ask->type != VIRTIO_BLK_T_GET_ID && s->ask->type != VIRTIO_BLK_T_GET_LIFETIME)
		return;
	blk_put(h->shadow, &s->ask->chain, &s->ask->in, 0, bytes, len);
	blk_mark(h->shadow, &s->ask->chain, &s->ask->in, len);
	p->touched = len;
	p->reach = len;
}

/* Checks the work of a finished request. Returns the statuses that the request may have. */
static uint32_t ended(struct blk_harness *h, struct blk_slot *s)
{
	const struct blk_progress *p = &s->progress;

	if (!p->accepted) {
		FUZZ_CHECK(p->calls == 0, "a refused request has called the back end");
		return blk_model_check(&h->disk, s->ask);
	}
	if (p->failed)
		return BLK_STATUS_BIT(VIRTIO_BLK_S_IOERR);
	FUZZ_CHECK(blk_model_complete(&h->disk, p), "the request succeeds before all is done");
	blk_model_check_stable(&h->disk, p);
	put_answer(h, s);
	return BLK_STATUS_BIT(VIRTIO_BLK_S_OK);
}

static void check_error(const struct blk_slot *s, int error)
{
	if (s->progress.failed && s->progress.nonsense)
		FUZZ_CHECK(error != 0, "the back end gave a wrong answer, but the result has no error");
	else if (s->progress.failed)
		FUZZ_CHECK(error == s->progress.error, "the result has error %d, not %d", error, s->progress.error);
	else
		FUZZ_CHECK(error == s->request->base.error, "the result has a wrong error: %d", error);
}

static enum virtio_blk_refusal expected_refusal(const struct blk_harness *h, const struct blk_slot *s)
{
	return s->progress.accepted ? VIRTIO_BLK_REFUSAL_NONE : blk_model_refusal(&h->disk, s->ask);
}

static void check_result(struct blk_harness *h, struct blk_slot *s)
{
	const struct virtio_blk_result *r = &s->result;
	const uint32_t set = ended(h, s);

	FUZZ_CHECK(r->status <= VIRTIO_BLK_S_UNSUPP && (BLK_STATUS_BIT(r->status) & set),
		   "the status is %u, allowed set %#x", r->status, set);
	FUZZ_CHECK(r->written == blk_model_written(&s->progress, r->status), "wrong number of written bytes: %llu",
		   (unsigned long long)r->written);
	FUZZ_CHECK(r->touched >= s->progress.touched && r->touched >= r->written && r->touched <= s->progress.reach,
		   "%llu bytes touched, allowed %llu to %llu", (unsigned long long)r->touched,
		   (unsigned long long)s->progress.touched, (unsigned long long)s->progress.reach);
	check_error(s, r->error);
	FUZZ_CHECK(r->refusal == expected_refusal(h, s), "wrong refusal: %s", virtio_blk_refusal_name(r->refusal));
	s->done = true;
}

/* Without operations the library can carry out only GET_ID. Other accepted requests must fail. */
static void expect_no_ops(const struct blk_harness *h, struct blk_progress *p)
{
	if (h->disk.options.backend.ops || !p->accepted || p->ask->type == VIRTIO_BLK_T_GET_ID)
		return;
	p->failed = true;
	p->error = VIRTIO_ENOOP;
}

/* Checks the request again, because features and capacity may have changed since the parse. */
static void start(const struct blk_harness *h, struct blk_slot *s)
{
	s->progress.accepted = blk_model_check(&h->disk, s->ask) == BLK_STATUS_BIT(VIRTIO_BLK_S_OK);
}

static void check_verdict(struct blk_harness *h, const struct blk_slot *s)
{
	const uint8_t status = virtio_blk_refusal_status(virtio_blk_refusal_of(&h->blk, s->request));
	const uint32_t set = blk_model_check(&h->disk, s->ask);

	FUZZ_CHECK(status <= VIRTIO_BLK_S_UNSUPP && (BLK_STATUS_BIT(status) & set),
		   "the check yields status %u, allowed set %#x", status, set);
	FUZZ_CHECK(virtio_blk_refusal_of(&h->blk, s->request) == blk_model_refusal(&h->disk, s->ask),
		   "the refusal is not %s", virtio_blk_refusal_name(blk_model_refusal(&h->disk, s->ask)));
}

static void execute(struct blk_harness *h, struct blk_slot *s)
{
	check_verdict(h, s);
	start(h, s);
	expect_no_ops(h, &s->progress);
	h->now = &s->progress;
	memset(&s->result, NO_ARGUMENT, sizeof s->result);
	virtio_blk_execute(&h->blk, s->request, &s->result);
	h->now = NULL;
	check_result(h, s);
}

static void device_execute(struct blk_harness *h)
{
	const uint8_t flags = fuzz_u8(&h->in);
	struct blk_slot *s = pick(h);

	if (!s || !s->request || s->done || s->moving)
		return;
	h->faults = flags & BLK_S_FAULTS;
	execute(h, s);
}

/* Transfers */

/* Returns the number of bytes that a transfer moves. */
static uint64_t data_of(const struct blk_ask *ask)
{
	if (ask->type == VIRTIO_BLK_T_IN)
		return ask->in.bytes;
	return ask->type == VIRTIO_BLK_T_OUT ? ask->out.bytes : 0;
}

static int64_t move_some(struct blk_harness *h, struct blk_slot *s, uint32_t capacity)
{
	const bool write = s->ask->type == VIRTIO_BLK_T_OUT;
	const uint64_t left = data_of(s->ask) - s->progress.done;
	struct virtio_iovec *iov = fuzz_alloc(sizeof *iov * capacity);
	const uint32_t count = virtio_blk_transfer_iovec(&s->transfer, iov, capacity);
	int64_t moved = 0;
	uint64_t bytes = 0;

	FUZZ_CHECK(count <= capacity && (count > 0) == (left > 0), "wrong number of entries: %u", count);
	for (uint32_t i = 0; i < count; i++)
		bytes += iov[i].len;
	FUZZ_CHECK(count == capacity || bytes == left, "the vector has only %llu of %llu bytes",
		   (unsigned long long)bytes, (unsigned long long)left);
	if (count)
		moved = blk_backend_move(h, iov, count, s->transfer.offset, write);
	free(iov);
	return moved;
}

static void end_transfer(struct blk_harness *h, struct blk_slot *s, int error)
{
	if (!error && s->progress.accepted && blk_model_flush_due(&h->disk, &s->progress)) {
		FUZZ_CHECK(s->ask->type == VIRTIO_BLK_T_FLUSH || virtio_blk_write_through(&h->blk),
			   "a flush is due, but virtio_blk_write_through() is false");
		error = blk_backend_flush(h);
	}
	memset(&s->result, NO_ARGUMENT, sizeof s->result);
	virtio_blk_transfer_result(s->request, &s->transfer, error, &s->result);
	s->moving = false;
	check_result(h, s);
}

/* Returns whether the transfer must continue. Accepted reads, writes and flushes must continue. */
static bool begin_transfer(struct blk_harness *h, struct blk_slot *s)
{
	struct virtio_iovec iov;
	uint8_t got;

	check_verdict(h, s);
	start(h, s);
	memset(&s->transfer, NO_ARGUMENT, sizeof s->transfer);
	got = virtio_blk_transfer_begin(&s->transfer, &h->blk, s->request);
	FUZZ_CHECK(got <= VIRTIO_BLK_S_UNSUPP && (BLK_STATUS_BIT(got) & blk_model_check(&h->disk, s->ask)),
		   "transfer_begin() returned status %u", got);
	FUZZ_CHECK(s->progress.accepted ? s->transfer.at.left == data_of(s->ask)
					: virtio_blk_transfer_iovec(&s->transfer, &iov, 1) == 0,
		   "the transfer has %llu bytes to move, the model disagrees", (unsigned long long)s->transfer.at.left);
	if (!s->progress.accepted)
		end_transfer(h, s, 0);
	else
		s->moving = s->ask->type <= VIRTIO_BLK_T_OUT || s->ask->type == VIRTIO_BLK_T_FLUSH;
	return s->moving;
}

static void device_move(struct blk_harness *h)
{
	const uint8_t flags = fuzz_u8(&h->in);
	struct blk_slot *s = pick(h);
	const struct blk_progress *p;
	uint64_t all;
	int left;

	if (!s || !s->request || s->done)
		return;
	if (!s->moving && !begin_transfer(h, s))
		return;
	p = &s->progress;
	all = data_of(s->ask);
	h->now = &s->progress;
	h->faults = flags & BLK_S_FAULTS;
	left = virtio_blk_transfer_advance(&s->transfer, move_some(h, s, (flags >> 4) + 1u));
	if (p->failed)
		FUZZ_CHECK(left < 0 && (p->nonsense || left == p->error), "advance returned %d after an error", left);
	else
		FUZZ_CHECK(left == (p->done < all) && s->transfer.at.done == p->done,
			   "advance returned %d after %llu of %llu bytes", left, (unsigned long long)p->done,
			   (unsigned long long)all);
	if (left != 1)
		end_transfer(h, s, left);
	h->now = NULL;
}

/* Sets a result that the device has chosen itself, instead of a result of the library. */
static void device_own(struct blk_harness *h)
{
	const uint8_t status = fuzz_u8(&h->in) % 3;
	const uint64_t some = fuzz_number(&h->in), more = fuzz_number(&h->in);
	struct blk_slot *s = pick(h);

	if (!s || !s->request || s->done || s->moving)
		return;
	s->result.status = s->ask->errors ? VIRTIO_BLK_S_IOERR : status;
	/* The used length of a request with an error is 0, so `written` may be any number. */
	s->result.written = some <= s->ask->in.bytes || s->ask->errors ? some : 0;
	s->result.touched = s->result.written;
	if (s->ask->errors || more <= s->ask->in.bytes - s->result.written)
		s->result.touched |= more;
	if (!s->ask->errors && s->result.touched > s->ask->in.bytes)
		s->result.touched = s->ask->in.bytes;
	s->result.refusal = status == VIRTIO_BLK_S_UNSUPP ? VIRTIO_BLK_REFUSAL_UNKNOWN_TYPE : VIRTIO_BLK_REFUSAL_NONE;
	s->result.error = s->ask->errors ? s->request->base.error : status == VIRTIO_BLK_S_IOERR ? VIRTIO_EIO : 0;
	s->done = true;
}

/* Completing */

static void put_status(struct blk_harness *h, const struct blk_slot *s, uint8_t status)
{
	const struct model_piece *at = &s->ask->status;

	if (s->ask->answerable)
		shadow_put_region(h->shadow, &at->region, at->offset, &status, 1);
}

/*
 * virtio 1.4, 2.7.8.2: the used length includes the status if all bytes before the status were
 * written. If the request has an error, the written bytes are not known, so the length is 0.
 */
static uint32_t used_len(const struct blk_slot *s, uint64_t written)
{
	if (s->ask->errors)
		return 0;
	return (uint32_t)(written == s->ask->in.bytes ? written + 1 : written);
}

/* Completes a request with its result. The request must not be completed yet. */
static void complete(struct blk_harness *h, struct blk_slot *s, uint8_t flags)
{
	const struct virtio_completion one = { s->chain.token, used_len(s, s->result.written) };
	const bool counted = !(flags & BLK_S_NO_STATS);
	int got;

	if (!s->ask->errors)
		blk_mark(h->shadow, &s->ask->chain, &s->ask->in, s->result.touched);
	put_status(h, s, s->result.status);
	got = virtio_blk_complete(&h->queue, s->request, &s->result, counted ? &h->stats : NULL);
	model_complete(&h->model, &one, 1, got);
	s->completed = true;
	if (counted) {
		blk_model_count(&h->disk, s->ask, s->result.status, s->result.refusal, s->result.written);
		first_error(h, s->result.error);
	}
}

static void device_finish(struct blk_harness *h)
{
	const uint8_t flags = fuzz_u8(&h->in);
	struct blk_slot *s = pick(h);

	if (s && s->done && !s->completed)
		complete(h, s, flags);
}

/* Completes a completed request again, or fails a request that has no status byte. */
static void device_complete(struct blk_harness *h)
{
	struct blk_slot *s = pick(h);

	if (!s || !s->request)
		return;
	if (s->completed) {
		complete_again(h, s);
		drop(s);
	} else if (!s->ask->answerable) {
		s->result = (struct virtio_blk_result){ .error = s->request->base.error };
		complete(h, s, 0);
	}
}

/* Serving at once */

/* Checks that the log marks exactly the changed bytes. A failed read may mark all of `in`. */
static void accept_marks(struct blk_harness *h, const struct blk_slot *s)
{
	struct shadow_log *log = &h->shadow->logs[0];
	uint8_t must[BLK_BYTES / 512];

	memcpy(must, log->shadow, sizeof must);
	blk_mark(h->shadow, &s->ask->chain, &s->ask->in, s->progress.reach);
	for (size_t i = 0; i < sizeof must; i++) {
		const uint8_t marked = ((const uint8_t *)log->log.bitmap)[i];

		FUZZ_CHECK((must[i] & ~marked) == 0 && (marked & ~log->shadow[i]) == 0,
			   "wrong byte %zu of the dirty log", i);
		log->shadow[i] = marked;
	}
}

/* Checks the effects of virtio_blk_process(), which does not return the result of a request. */
static void processed(struct blk_harness *h, struct blk_slot *s, bool counted)
{
	const uint32_t set = ended(h, s);
	const uint8_t status = set == BLK_STATUS_BIT(VIRTIO_BLK_S_OK)      ? VIRTIO_BLK_S_OK
			       : set == BLK_STATUS_BIT(VIRTIO_BLK_S_IOERR) ? VIRTIO_BLK_S_IOERR
									   : VIRTIO_BLK_S_UNSUPP;
	const uint64_t written = blk_model_written(&s->progress, status);
	const struct virtio_completion one = { s->chain.token, used_len(s, written) };

	blk_mark(h->shadow, &s->ask->chain, &s->ask->in, s->progress.touched);
	put_status(h, s, status);
	model_complete(&h->model, &one, 1, 0);
	accept_marks(h, s);
	s->done = true;
	s->completed = true;
	if (!counted)
		return;
	blk_model_count(&h->disk, s->ask, status, expected_refusal(h, s), written);
	if (s->progress.nonsense && h->disk.stats.first_error == 0) {
		FUZZ_CHECK(h->stats.first_error, "the back end gave a wrong answer, but no error was counted");
		first_error(h, h->stats.first_error);
	}
	first_error(h, s->ask->errors ? s->request->base.error : s->progress.error);
}

/* Returns whether a pop yields a head. A queue without known heads reads the available index. */
static bool next_head(const struct blk_harness *h, uint16_t *head)
{
	const struct model *m = &h->model;
	const uint64_t avail = m->config.addr[VIRTIO_QUEUE_AVAIL];
	uint16_t seen = m->seen;

	if (!m->started || m->broken || m->replay)
		return false;
	if (seen == m->next_avail) {
		seen = shadow_get16(m->map, avail + 2);
		if (seen == m->next_avail || (uint16_t)(seen - m->next_avail) > m->config.size)
			return false;
	}
	*head = shadow_get16(m->map, avail + 4 + 2 * (uint64_t)(m->next_avail % m->config.size));
	return *head < m->config.size && m->requests[*head].state == MODEL_IDLE;
}

/*
 * The model pops first, because the driver may write to the ring while the request is carried out.
 * Only the library knows the token. Until adopt_token() the model has a token that no pop yields.
 */
static struct blk_slot *pop_in_model(struct blk_harness *h, uint16_t head)
{
	struct blk_slot *s = take_slot(h, head);

	s->chain.token.value = head | UINT64_C(1) << 63 | VIRTIO_IMPL_TOKEN_SET;
	model_pop(&h->model, &s->walk, 1, &s->chain);
	return s;
}

static void adopt_token(struct blk_harness *h, struct blk_slot *s)
{
	const struct virtio_token token = s->request->base.token;
	struct model *m = &h->model;
	const uint16_t head = (uint16_t)virtio_token_head(s->chain.token);

	FUZZ_CHECK(virtio_token_head(token) == head && token.value != head, "wrong token %#llx",
		   (unsigned long long)token.value);
	for (uint32_t i = 0; i < m->past_count && i < MODEL_PAST; i++)
		FUZZ_CHECK(m->past[i].value != token.value, "an old token is used again");
	m->past[(m->past_count - 1) % MODEL_PAST] = token;
	m->requests[head].token = token;
	s->chain.token = token;
}

/* The library has unpopped the request, so the model forgets the pop. */
static void unpop(struct blk_harness *h, struct blk_slot *s)
{
	model_unpop(&h->model, s->chain.token, 0);
	h->model.past_count--;
	drop(s);
}

static void serve_nothing(struct blk_harness *h)
{
	struct virtio_blk_request before;
	struct virtio_chain none = { 0 };
	struct model_walk walk;
	struct blk_slot s = { 0 };

	prepare(h, &s);
	memcpy(&before, s.request, sizeof before);
	model_pop(&h->model, &walk, virtio_blk_process(&h->blk, &h->queue, s.request, &h->stats), &none);
	FUZZ_CHECK(memcmp(s.request, &before, sizeof before) == 0, "a call that popped nothing changed the request");
	drop(&s);
}

/* Carries out a popped request. With BLK_S_STALE, first completes the request's chain. */
static void serve_popped(struct blk_harness *h, struct blk_slot *s, uint8_t flags)
{
	const struct virtio_completion early = { s->chain.token, 0 };

	if (flags & BLK_S_STALE)
		model_complete(&h->model, &early, 1, virtio_queue_complete(&h->queue, early.token, 0));
	execute(h, s);
	if (flags & BLK_S_STALE)
		complete_again(h, s);
	else
		complete(h, s, flags);
	s->completed = true;
}

static void device_serve(struct blk_harness *h)
{
	const uint8_t flags = fuzz_u8(&h->in);
	const bool counted = !(flags & BLK_S_NO_STATS), parts = flags & (BLK_S_PARTS | BLK_S_STALE);
	struct virtio_blk_request before;
	struct blk_slot *s;
	uint16_t head;
	int got;

	if (!next_head(h, &head)) {
		serve_nothing(h);
		return;
	}
	s = pop_in_model(h, head);
	expect(h, s);
	memcpy(&before, s->request, sizeof before);
	if (!parts)
		expect_no_ops(h, &s->progress);
	h->now = parts ? NULL : &s->progress;
	h->faults = flags & BLK_S_FAULTS;
	got = parts ? virtio_blk_pop(&h->queue, s->request)
		    : virtio_blk_process(&h->blk, &h->queue, s->request, counted ? &h->stats : NULL);
	h->now = NULL;
	FUZZ_CHECK(got == 1 || got == VIRTIO_ENOTMAPPED, "the pop returned %d", got);
	if (got == 1)
		adopt_token(h, s);
	if (!parsed(h, s, &before, got))
		unpop(h, s);
	else if (parts)
		serve_popped(h, s, flags);
	else
		processed(h, s, counted);
}

/* Other steps */

static void device_pop(struct blk_harness *h)
{
	pop(h);
}

static void device_notify(struct blk_harness *h)
{
	model_needs_interrupt(&h->model, virtio_queue_needs_interrupt(&h->queue));
}

/* Completes each request in flight with length 0. */
static void quiesce(struct blk_harness *h)
{
	for (uint32_t i = 0; i < MODEL_MAX_SIZE; i++) {
		struct blk_slot *s = &h->requests[i];
		const struct virtio_completion one = { s->chain.token, 0 };

		if (!s->held || s->completed)
			continue;
		model_complete(&h->model, &one, 1, virtio_queue_complete(&h->queue, one.token, 0));
		s->completed = s->request != NULL;
	}
	FUZZ_CHECK(virtio_queue_quiesced(&h->queue), "the queue is not quiesced");
}

static void restart_queue(struct blk_harness *h)
{
	virtio_queue_reset(&h->queue);
	model_reset(&h->model);
	virtio_blk_reset(&h->blk);
	blk_model_reset(&h->disk);
	blk_compare(h);
	blk_reset_driver(h);
	model_start(&h->model, &h->config, h->map, virtio_queue_start(&h->queue, &h->config, &h->map->map));
}

/* Checks that after a reset every token is stale, whether or not its request was completed. */
static void check_all_stale(struct blk_harness *h)
{
	for (uint32_t i = 0; i < MODEL_MAX_SIZE; i++) {
		const struct blk_slot *s = &h->requests[i];

		if (s->request)
			complete_again(h, s);
		if (s->held && h->model.started)
			FUZZ_CHECK(virtio_queue_complete(&h->queue, s->chain.token, 0) == VIRTIO_ESTALE,
				   "a token is valid after a reset");
	}
}

static void device_reset(struct blk_harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);

	if (how & 1)
		quiesce(h);
	restart_queue(h);
	check_all_stale(h);
	blk_drop_requests(h);
	if (how & 2)
		blk_negotiate(h, h->disk.offered & ~(uint64_t)fuzz_u32(&h->in));
}

void blk_device_step(struct blk_harness *h, uint8_t op)
{
	static void (*const steps[BLK_DEVICE_STEPS])(struct blk_harness *) = {
		[BLK_SERVE] = device_serve,
		[BLK_POP] = device_pop,
		[BLK_PARSE] = device_parse,
		[BLK_EXECUTE] = device_execute,
		[BLK_MOVE] = device_move,
		[BLK_OWN] = device_own,
		[BLK_FINISH] = device_finish,
		[BLK_COMPLETE] = device_complete,
		[BLK_NOTIFY] = device_notify,
		[BLK_CONFIG_READ] = blk_config_read,
		[BLK_RESIZE] = blk_resize,
		[BLK_NEGOTIATE] = blk_negotiate_any,
		[BLK_RESET] = device_reset,
		[BLK_ANY_CHECK] = blk_any_check,
		[BLK_ANY_TRANSFER] = blk_any_transfer,
		[BLK_ANY_MEMORY] = blk_any_memory,
		[BLK_MIGRATE] = blk_migrate,
	};

	steps[op % BLK_DEVICE_STEPS](h);
}
