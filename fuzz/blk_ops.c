/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The device's half of the block harness: requests served at once, or step by step and in any order. */
#include "blk_harness.h"
#include "blk_steps.h"

#define NO_ARGUMENT 0x5a /* fills what a failure must not touch */

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

/* One of the requests held, or NULL. */
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

static struct blk_slot *pop(struct blk_harness *h)
{
	struct virtio_chain chain;
	struct model_walk walk;
	struct blk_slot *s;
	const int got = virtio_queue_pop(&h->queue, &chain);

	model_pop(&h->model, &walk, got, &chain);
	if (got != 1)
		return NULL;
	s = &h->requests[chain.token.head];
	drop(s);
	s->held = true;
	s->chain = chain;
	s->walk = walk;
	return s;
}

/* Parsing */

/* Storage to the entry, and what the request in memory is at this moment. */
static void expect(struct blk_harness *h, struct blk_slot *s)
{
	s->storage.segment_capacity = h->segment_capacity;
	s->storage.range_capacity = h->range_capacity;
	s->storage.segments = fuzz_alloc(sizeof *s->storage.segments * h->segment_capacity);
	if (h->range_capacity)
		s->storage.ranges = fuzz_alloc(sizeof *s->storage.ranges * h->range_capacity);
	s->ask = fuzz_alloc(sizeof *s->ask);
	model_expect_collect(&h->model, &s->walk, NULL, 0, &s->ask->chain);
	blk_model_parse(&h->model, s->ask, h->segment_capacity, h->range_capacity);
	s->progress.ask = s->ask;
	s->progress.accepted = !s->ask->refused && blk_model_check(&h->disk, s->ask) == BLK_STATUS_BIT(VIRTIO_BLK_S_OK);
}

static void first_error(struct blk_harness *h, int error)
{
	if (h->disk.stats.first_error == 0)
		h->disk.stats.first_error = error;
}

/* The queue has counted a fault of the chain's; where the library told no one which, it is in the first error. */
static void note_chain_fault(struct blk_harness *h, struct blk_slot *s, int error)
{
	const uint64_t errors = s->ask->chain.errors & ~fuzz_error_bit(VIRTIO_ENOTMAPPED);
	const struct virtio_collected nothing = { 0 };

	if (error == 0 && h->model.stats.first_error == 0)
		error = h->queue.stats.first_error;
	for (int i = -1001; error == 0; i--)
		if (errors & fuzz_error_bit(i))
			error = i;
	model_collect(&h->model, &s->walk, &s->ask->chain, (uint16_t)s->chain.token.head, error, &nothing);
}

static void check_segment(const struct blk_harness *h, const struct virtio_segment *s, const struct model_piece *p,
			  uint64_t within)
{
	FUZZ_CHECK((uint8_t *)s->host == world_host(h->world, &p->region) + within, "another host address");
	FUZZ_CHECK(s->addr - p->addr == within - p->offset, "segment at %#llx", (unsigned long long)s->addr);
	FUZZ_CHECK(world_same_region(h->map, s->region, &p->region), "another region");
}

static void check_data(const struct blk_harness *h, const struct blk_ask *ask, const struct virtio_blk_data *data,
		       const struct blk_run *run)
{
	uint64_t offset = 0;

	FUZZ_CHECK(data->bytes == run->bytes, "%llu bytes", (unsigned long long)data->bytes);
	for (uint32_t i = 0; i < data->count; i++) {
		uint64_t within, here;
		const struct model_piece *p;

		FUZZ_CHECK(offset < run->bytes, "too many segments");
		p = blk_find(&ask->chain, run, offset, &within, &here);
		check_segment(h, &data->segments[i], p, within);
		FUZZ_CHECK(data->segments[i].len == here, "a segment of %llu bytes",
			   (unsigned long long)data->segments[i].len);
		offset += here;
	}
	FUZZ_CHECK(offset == run->bytes, "segments are missing");
}

static void check_ranges(const struct blk_ask *ask, const struct virtio_blk_request *r)
{
	if (ask->type != VIRTIO_BLK_T_DISCARD && ask->type != VIRTIO_BLK_T_WRITE_ZEROES &&
	    ask->type != VIRTIO_BLK_T_SECURE_ERASE)
		return;
	FUZZ_CHECK(r->range_count == ask->range_count, "%u ranges", r->range_count);
	for (uint32_t i = 0; i < ask->range_count; i++)
		FUZZ_CHECK(r->ranges[i].sector == ask->ranges[i].sector &&
				   r->ranges[i].sectors == ask->ranges[i].sectors &&
				   r->ranges[i].flags == ask->ranges[i].flags,
			   "range %u is another", i);
}

static void check_request(const struct blk_harness *h, const struct blk_slot *s, const struct virtio_blk_request *r)
{
	const struct model_piece status = blk_status_place(&s->ask->chain);

	FUZZ_CHECK(r->token.head == s->chain.token.head && r->token.sequence == s->chain.token.sequence,
		   "another token");
	FUZZ_CHECK(s->ask->errors ? fuzz_error_bit(r->error) & s->ask->errors : r->error == 0, "error %d", r->error);
	FUZZ_CHECK(r->type == s->ask->type && r->sector == s->ask->sector, "type %u", r->type);
	check_data(h, s->ask, &r->out, &s->ask->out);
	check_data(h, s->ask, &r->in, &s->ask->in);
	check_segment(h, &r->status, &status, status.offset);
	FUZZ_CHECK(r->status.len == 1, "a status of %llu bytes", (unsigned long long)r->status.len);
	check_ranges(s->ask, r);
}

/* Its memory is not known yet: back to the queue, or, where later ones are in flight, given up. */
static void not_mapped(struct blk_harness *h, struct blk_slot *s)
{
	const struct virtio_completion nothing = { s->chain.token, 0 };
	const int got = virtio_queue_undo(&h->queue, s->chain.token);

	model_undo(&h->model, s->chain.token, got);
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
	s->request = fuzz_alloc(sizeof *s->request);
	memset(s->request, NO_ARGUMENT, sizeof *s->request);
	memcpy(&before, s->request, sizeof before);
	got = virtio_blk_parse(&s->chain, &s->storage, s->request);
	if (!s->ask->refused) {
		FUZZ_CHECK(got == 0, "parse returned %d", got);
		check_request(h, s, s->request);
		return;
	}
	FUZZ_CHECK(fuzz_error_bit(got) & s->ask->refused, "parse returned %d, where %#llx may be", got,
		   (unsigned long long)s->ask->refused);
	FUZZ_CHECK(memcmp(s->request, &before, sizeof before) == 0, "a failure touched the request");
	if (s->ask->chain.errors)
		note_chain_fault(h, s, got);
	free(s->request);
	s->request = NULL;
	if (got == VIRTIO_ENOTMAPPED)
		not_mapped(h, s);
}

/* What came of it */

/* What the device itself has put into in. */
static void put_answer(struct blk_harness *h, struct blk_slot *s)
{
	struct blk_progress *p = &s->progress;
	const uint8_t *bytes = s->ask->type == VIRTIO_BLK_T_GET_ID ? (const uint8_t *)h->disk.options.id : p->wear;
	const uint64_t len = blk_model_written(p, VIRTIO_BLK_S_OK);

	if (s->ask->type != VIRTIO_BLK_T_GET_ID && s->ask->type != VIRTIO_BLK_T_GET_LIFETIME)
		return;
	blk_put(h->world, &s->ask->chain, &s->ask->in, 0, bytes, len);
	p->touched = len;
	p->reach = len;
}

/* A request that is over: which statuses it may have. What it promises is checked. */
static uint32_t ended(struct blk_harness *h, struct blk_slot *s)
{
	const struct blk_progress *p = &s->progress;

	if (!p->accepted) {
		FUZZ_CHECK(p->calls == 0, "the back end was called");
		return blk_model_check(&h->disk, s->ask);
	}
	if (p->failed)
		return BLK_STATUS_BIT(VIRTIO_BLK_S_IOERR);
	FUZZ_CHECK(blk_model_complete(&h->disk, p), "done, and not all of it is");
	blk_model_check_stable(&h->disk, p);
	put_answer(h, s);
	return BLK_STATUS_BIT(VIRTIO_BLK_S_OK);
}

static void check_error(const struct blk_slot *s, int error)
{
	if (s->progress.failed && s->progress.nonsense)
		FUZZ_CHECK(error != 0, "nonsense is no error");
	else if (s->progress.failed)
		FUZZ_CHECK(error == s->progress.error, "error %d, not %d", error, s->progress.error);
	else
		FUZZ_CHECK(error == s->request->error, "error %d", error);
}

static void check_result(struct blk_harness *h, struct blk_slot *s)
{
	const struct virtio_blk_result *r = &s->result;
	const uint32_t set = ended(h, s);

	FUZZ_CHECK(r->status <= VIRTIO_BLK_S_UNSUPP && (BLK_STATUS_BIT(r->status) & set), "status %u, where %#x may be",
		   r->status, set);
	FUZZ_CHECK(r->written == blk_model_written(&s->progress, r->status), "%llu bytes written",
		   (unsigned long long)r->written);
	FUZZ_CHECK(r->touched >= s->progress.touched && r->touched >= r->written && r->touched <= s->progress.reach,
		   "%llu bytes touched, of %llu to %llu", (unsigned long long)r->touched,
		   (unsigned long long)s->progress.touched, (unsigned long long)s->progress.reach);
	check_error(s, r->error);
	s->done = true;
}

/* A fresh look at what is in order: features and capacity may have changed since the parse. */
static void start(const struct blk_harness *h, struct blk_slot *s)
{
	s->progress.accepted = blk_model_check(&h->disk, s->ask) == BLK_STATUS_BIT(VIRTIO_BLK_S_OK);
}

static void check_verdict(struct blk_harness *h, const struct blk_slot *s)
{
	const uint8_t status = virtio_blk_check(&h->blk, s->request);
	const uint32_t set = blk_model_check(&h->disk, s->ask);

	FUZZ_CHECK(status <= VIRTIO_BLK_S_UNSUPP && (BLK_STATUS_BIT(status) & set), "check says %u, where %#x may be",
		   status, set);
}

static void device_execute(struct blk_harness *h)
{
	const uint8_t flags = fuzz_u8(&h->in);
	struct blk_slot *s = pick(h);

	if (!s || !s->request || s->done || s->moving)
		return;
	check_verdict(h, s);
	start(h, s);
	h->now = &s->progress;
	h->faults = flags & BLK_S_FAULTS;
	memset(&s->result, NO_ARGUMENT, sizeof s->result);
	virtio_blk_execute(&h->blk, s->request, &s->result);
	h->now = NULL;
	check_result(h, s);
}

/* Transfers */

static int64_t move_some(struct blk_harness *h, struct blk_slot *s, uint32_t capacity)
{
	const bool write = s->ask->type == VIRTIO_BLK_T_OUT;
	const uint64_t left = (write ? s->ask->out.bytes : s->ask->in.bytes) - s->progress.done;
	struct virtio_iovec *iov = fuzz_alloc(sizeof *iov * capacity);
	const uint32_t count = virtio_blk_transfer_iovec(&s->transfer, iov, capacity);
	int64_t moved = 0;
	uint64_t bytes = 0;

	FUZZ_CHECK(count <= capacity && (count > 0) == (left > 0), "a vector of %u entries", count);
	for (uint32_t i = 0; i < count; i++)
		bytes += iov[i].len;
	FUZZ_CHECK(count == capacity || bytes == left, "%llu bytes of %llu", (unsigned long long)bytes,
		   (unsigned long long)left);
	if (count)
		moved = blk_backend_move(h, iov, count, s->transfer.offset, write);
	free(iov);
	return moved;
}

static void end_transfer(struct blk_harness *h, struct blk_slot *s, int error)
{
	if (!error && blk_model_flush_due(&h->disk, &s->progress)) {
		FUZZ_CHECK(virtio_blk_write_through(&h->blk), "not write-through");
		error = blk_backend_flush(h);
	}
	memset(&s->result, NO_ARGUMENT, sizeof s->result);
	virtio_blk_transfer_result(s->request, &s->transfer, error, &s->result);
	s->moving = false;
	check_result(h, s);
}

static bool begin_transfer(struct blk_harness *h, struct blk_slot *s)
{
	check_verdict(h, s);
	start(h, s);
	if (!s->progress.accepted)
		return false;
	memset(&s->transfer, NO_ARGUMENT, sizeof s->transfer);
	virtio_blk_transfer_init(&s->transfer, s->request);
	s->moving = true;
	return true;
}

static void device_move(struct blk_harness *h)
{
	const uint8_t flags = fuzz_u8(&h->in);
	struct blk_slot *s = pick(h);
	const struct blk_progress *p;
	uint64_t all;
	int left;

	if (!s || !s->request || s->done || s->ask->type > VIRTIO_BLK_T_OUT)
		return;
	if (!s->moving && !begin_transfer(h, s))
		return;
	p = &s->progress;
	all = s->ask->type == VIRTIO_BLK_T_OUT ? s->ask->out.bytes : s->ask->in.bytes;
	h->now = &s->progress;
	h->faults = flags & BLK_S_FAULTS;
	left = virtio_blk_transfer_advance(&s->transfer, move_some(h, s, (flags >> 4) + 1u));
	if (p->failed)
		FUZZ_CHECK(left < 0 && (p->nonsense || left == p->error), "a failure is %d", left);
	else
		FUZZ_CHECK(left == (p->done < all) && s->transfer.done == p->done, "%d, after %llu of %llu bytes", left,
			   (unsigned long long)p->done, (unsigned long long)all);
	if (left != 1)
		end_transfer(h, s, left);
	h->now = NULL;
}

/* As if the device had done something else about it. */
static void device_own(struct blk_harness *h)
{
	const uint8_t status = fuzz_u8(&h->in) % 3;
	const uint64_t some = fuzz_number(&h->in), more = fuzz_number(&h->in);
	struct blk_slot *s = pick(h);

	if (!s || !s->request || s->done || s->moving)
		return;
	s->result.status = s->ask->errors ? VIRTIO_BLK_S_IOERR : status;
	s->result.written = some <= s->ask->in.bytes ? some : 0;
	s->result.touched = s->result.written;
	if (more <= s->ask->in.bytes - s->result.written)
		s->result.touched += more;
	s->result.error = s->ask->errors ? s->request->error : status == VIRTIO_BLK_S_IOERR ? VIRTIO_EIO : 0;
	s->done = true;
}

/* Finishing */

static void put_status(struct blk_harness *h, const struct blk_slot *s, uint8_t status)
{
	const struct model_piece at = blk_status_place(&s->ask->chain);

	world_put_region(h->world, &at.region, at.offset, &status, 1);
}

/*
 * virtio 1.4, 2.7.8.2: a status counts if nothing in front of it was left out. Of a request with an error that isn't
 * known.
 */
static uint32_t used_len(const struct blk_slot *s, uint64_t written)
{
	return (uint32_t)(written == s->ask->in.bytes && !s->ask->errors ? written + 1 : written);
}

static void device_finish(struct blk_harness *h)
{
	const uint8_t flags = fuzz_u8(&h->in);
	struct blk_slot *s = pick(h);

	if (!s || !s->done || s->finished)
		return;
	s->len = virtio_blk_finish(s->request, &s->result, flags & BLK_S_NO_STATS ? NULL : &h->stats);
	s->finished = true;
	blk_mark(h->world, &s->ask->chain, &s->ask->in, s->result.touched);
	put_status(h, s, s->result.status);
	if (!(flags & BLK_S_NO_STATS)) {
		blk_model_count(&h->disk, s->ask, s->result.status, s->result.written);
		first_error(h, s->result.error);
	}
	FUZZ_CHECK(s->len == used_len(s, s->result.written), "used length %u", s->len);
}

static void complete(struct blk_harness *h, struct blk_slot *s)
{
	const struct virtio_completion one = { s->chain.token, s->len };

	model_complete(&h->model, &one, 1, virtio_queue_complete(&h->queue, one.token, one.len));
	drop(s);
}

/* Finished, or with nothing to answer. */
static void device_complete(struct blk_harness *h)
{
	struct blk_slot *s = pick(h);

	if (s && (s->finished || (s->ask && !s->request)))
		complete(h, s);
}

/* Serving at once */

/* The dirty logs where a failed read may have marked more than it must: not less and not too much. */
static void accept_marks(struct blk_harness *h, const struct blk_slot *s)
{
	struct world_log *log = &h->world->logs[0];
	uint8_t must[BLK_BYTES / 512];

	memcpy(must, log->shadow, sizeof must);
	blk_mark(h->world, &s->ask->chain, &s->ask->in, s->progress.reach);
	for (size_t i = 0; i < sizeof must; i++) {
		const uint8_t marked = ((const uint8_t *)log->log.bitmap)[i];

		FUZZ_CHECK((must[i] & ~marked) == 0 && (marked & ~log->shadow[i]) == 0, "dirty log, byte %zu", i);
		log->shadow[i] = marked;
	}
}

/* Which of the statuses that may be it was. */
static uint8_t status_given(struct blk_harness *h, uint32_t set)
{
	if (set == (BLK_STATUS_BIT(VIRTIO_BLK_S_IOERR) | BLK_STATUS_BIT(VIRTIO_BLK_S_UNSUPP)))
		return h->stats.failed > h->disk.stats.failed ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_UNSUPP;
	for (uint8_t status = 0; status < VIRTIO_BLK_S_UNSUPP; status++)
		if (set == BLK_STATUS_BIT(status))
			return status;
	return VIRTIO_BLK_S_UNSUPP;
}

static void processed(struct blk_harness *h, struct blk_slot *s, bool counted, int got)
{
	const uint8_t status = status_given(h, ended(h, s));
	const uint64_t written = blk_model_written(&s->progress, status);
	const struct virtio_completion one = { s->chain.token, used_len(s, written) };

	blk_mark(h->world, &s->ask->chain, &s->ask->in, s->progress.touched);
	put_status(h, s, status);
	model_complete(&h->model, &one, 1, got);
	accept_marks(h, s);
	if (!counted)
		return;
	blk_model_count(&h->disk, s->ask, status, written);
	if (h->disk.stats.first_error == 0 && (s->progress.nonsense || s->ask->errors)) {
		first_error(h, h->stats.first_error);
		FUZZ_CHECK(h->stats.first_error &&
				   (s->progress.nonsense || (fuzz_error_bit(h->stats.first_error) & s->ask->errors)),
			   "first error %d", h->stats.first_error);
	}
	first_error(h, s->progress.error);
}

/* A chain that had nothing to answer, or whose memory is not known. */
static void refused(struct blk_harness *h, struct blk_slot *s, bool counted, int got)
{
	const struct virtio_completion nothing = { s->chain.token, 0 };
	const uint64_t waits = fuzz_error_bit(VIRTIO_ENOTMAPPED);

	if (got == VIRTIO_ENOTMAPPED || s->ask->refused == waits) {
		FUZZ_CHECK(got == VIRTIO_ENOTMAPPED && (s->ask->refused & waits), "process returned %d", got);
		note_chain_fault(h, s, got);
		model_undo(&h->model, s->chain.token, 0);
		return;
	}
	if (s->ask->chain.errors)
		note_chain_fault(h, s, 0);
	model_complete(&h->model, &nothing, 1, got);
	if (!counted)
		return;
	h->disk.stats.malformed++;
	if (h->disk.stats.first_error == 0) {
		FUZZ_CHECK(fuzz_error_bit(h->stats.first_error) & s->ask->refused, "first error %d",
			   h->stats.first_error);
		first_error(h, h->stats.first_error);
	}
}

static void complete_early(struct blk_harness *h, const struct blk_slot *s)
{
	const struct virtio_completion one = { s->chain.token, 0 };

	model_complete(&h->model, &one, 1, virtio_queue_complete(&h->queue, one.token, 0));
}

static void device_serve(struct blk_harness *h)
{
	const uint8_t flags = fuzz_u8(&h->in);
	struct blk_slot *s = pop(h);
	bool counted;
	int got;

	if (!s)
		return;
	/* First, for the rings may lie where the request does. */
	if ((flags & BLK_S_STALE) && !h->map->page_shift)
		complete_early(h, s);
	expect(h, s);
	/* What isn't counted doesn't say which of two statuses it was. */
	counted = !(flags & BLK_S_NO_STATS) || (!s->ask->refused && !s->progress.accepted);
	h->now = &s->progress;
	h->faults = flags & BLK_S_FAULTS;
	got = virtio_blk_process(&h->blk, &h->queue, &s->chain, &s->storage, counted ? &h->stats : NULL);
	h->now = NULL;
	if (s->ask->refused)
		refused(h, s, counted, got);
	else
		processed(h, s, counted, got);
	drop(s);
}

/* Life */

static void device_pop(struct blk_harness *h)
{
	pop(h);
}

static void device_notify(struct blk_harness *h)
{
	model_needs_notification(&h->model, virtio_queue_needs_notification(&h->queue));
}

static void device_config_read(struct blk_harness *h)
{
	const uint64_t offset = fuzz_number(&h->in);
	const size_t len = fuzz_u8(&h->in);
	uint8_t space[VIRTIO_BLK_CONFIG_BYTES], *data = fuzz_alloc(len);

	memset(data, NO_ARGUMENT, len);
	blk_model_config(&h->disk, space);
	virtio_blk_config_read(&h->blk, offset, data, len);
	for (size_t i = 0; i < len; i++)
		FUZZ_CHECK(data[i] == (offset < sizeof space && i < sizeof space - offset ? space[offset + i] : 0),
			   "configuration byte %#llx + %zu", (unsigned long long)offset, i);
	free(data);
}

static void device_resize(struct blk_harness *h)
{
	const uint64_t sectors = fuzz_number(&h->in);
	const bool fits = sectors <= VIRTIO_BLK_MAX_CAPACITY;

	FUZZ_CHECK(virtio_blk_set_capacity(&h->blk, sectors) == (fits ? 0 : VIRTIO_EINVAL), "set_capacity");
	if (fits)
		h->disk.options.capacity = sectors;
}

static void negotiate(struct blk_harness *h, uint64_t features)
{
	const bool right = blk_model_negotiate(&h->disk, features);
	const int got = virtio_blk_negotiate(&h->blk, features);

	FUZZ_CHECK(got == (right ? 0 : VIRTIO_EINVAL), "negotiate returned %d", got);
}

static void device_negotiate(struct blk_harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);

	if (how == 0)
		negotiate(h, h->disk.negotiated | UINT64_C(1) << 32);
	else
		negotiate(h, how & 1 ? fuzz_u32(&h->in) & h->disk.offered : fuzz_u64(&h->in));
}

/* A state as it was saved, or forged. */
static struct virtio_blk_state saved_state(struct blk_harness *h, uint8_t how)
{
	struct virtio_blk_state state;

	memset(&state, NO_ARGUMENT, sizeof state);
	virtio_blk_save(&h->blk, &state);
	FUZZ_CHECK(state.features == h->disk.negotiated && state.capacity == h->disk.options.capacity &&
			   state.writeback == h->disk.writeback,
		   "another state was saved");
	if (how & BLK_G_FEATURES)
		state.features = fuzz_u32(&h->in) & h->disk.offered;
	if (how & BLK_G_ANY)
		state.features = fuzz_u64(&h->in);
	if (how & BLK_G_CAPACITY)
		state.capacity = fuzz_number(&h->in);
	if (how & BLK_G_WRITEBACK)
		state.writeback = fuzz_u8(&h->in);
	return state;
}

/* As a device core's restore may do before and after, with the features that it has. */
static void device_migrate(struct blk_harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);
	const struct virtio_blk_state state = saved_state(h, how);
	int got, right;

	if (how & BLK_G_NEW) {
		/* The options say what the storage has now. */
		FUZZ_CHECK(virtio_blk_init(&h->blk, &h->disk.options) == 0, "a disk that was one is none");
		blk_model_reset(&h->disk);
	}
	if (how & BLK_G_BEFORE)
		negotiate(h, state.features | UINT64_C(1) << 32);
	right = blk_model_restore(&h->disk, &state);
	got = virtio_blk_restore(&h->blk, &state);
	FUZZ_CHECK(got == right, "restore returned %d, not %d", got, right);
	if (how & BLK_G_AFTER)
		negotiate(h, state.features | UINT64_C(1) << 32);
}

/* Waits for what is in flight: as failures. */
static void quiesce(struct blk_harness *h)
{
	for (uint32_t i = 0; i < MODEL_MAX_SIZE; i++)
		if (h->requests[i].held)
			complete(h, &h->requests[i]);
	FUZZ_CHECK(virtio_queue_quiesced(&h->queue), "not quiesced");
}

static void device_reset(struct blk_harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);
	struct virtio_token old = { 1, 0 };

	if (how & 1)
		quiesce(h);
	for (uint32_t i = 0; i < MODEL_MAX_SIZE; i++)
		if (h->requests[i].held)
			old = h->requests[i].chain.token;
	virtio_queue_reset(&h->queue);
	model_reset(&h->model);
	blk_drop_requests(h);
	virtio_blk_reset(&h->blk);
	blk_model_reset(&h->disk);
	blk_compare(h);
	blk_reset_driver(h);
	model_start(&h->model, &h->config, h->map, virtio_queue_start(&h->queue, &h->config, &h->map->map));
	if (h->model.started)
		FUZZ_CHECK(virtio_queue_complete(&h->queue, old, 0) == VIRTIO_ESTALE, "a token outlives a reset");
	if (how & 2)
		negotiate(h, h->disk.offered & ~(uint64_t)fuzz_u32(&h->in));
}

static void compare_stats(const struct blk_harness *h)
{
	const struct virtio_blk_stats *a = &h->stats, *b = &h->disk.stats;

	FUZZ_CHECK(a->reads == b->reads && a->writes == b->writes && a->flushes == b->flushes && a->ids == b->ids &&
			   a->discards == b->discards && a->write_zeroes == b->write_zeroes &&
			   a->secure_erases == b->secure_erases && a->others == b->others,
		   "requests counted by type");
	FUZZ_CHECK(a->read_bytes == b->read_bytes && a->written_bytes == b->written_bytes, "bytes counted");
	FUZZ_CHECK(a->failed == b->failed && a->unsupported == b->unsupported && a->malformed == b->malformed,
		   "failures counted");
	FUZZ_CHECK(a->first_error == b->first_error, "first error %d, not %d", a->first_error, b->first_error);
}

void blk_compare(struct blk_harness *h)
{
	const struct virtio_blk *blk = &h->blk;
	uint8_t space[VIRTIO_BLK_CONFIG_BYTES], real[VIRTIO_BLK_CONFIG_BYTES];

	FUZZ_CHECK(memcmp(h->bytes, h->disk.disk, BLK_DISK_BYTES) == 0, "the disk");
	compare_stats(h);
	FUZZ_CHECK(virtio_blk_capacity(blk) == h->disk.options.capacity, "a capacity of %#llx",
		   (unsigned long long)virtio_blk_capacity(blk));
	FUZZ_CHECK(virtio_blk_offered(blk) == h->disk.offered, "offers %#llx",
		   (unsigned long long)virtio_blk_offered(blk));
	FUZZ_CHECK(blk->negotiated == h->disk.negotiated, "negotiated %#llx", (unsigned long long)blk->negotiated);
	FUZZ_CHECK(virtio_blk_write_through(blk) == blk_model_write_through(&h->disk), "write-through");
	blk_model_config(&h->disk, space);
	virtio_blk_config_read(blk, 0, real, sizeof real);
	for (size_t i = 0; i < sizeof space; i++)
		FUZZ_CHECK(real[i] == space[i], "configuration byte %zu: %#x, not %#x", i, real[i], space[i]);
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
		[BLK_CONFIG_READ] = device_config_read,
		[BLK_RESIZE] = device_resize,
		[BLK_NEGOTIATE] = device_negotiate,
		[BLK_RESET] = device_reset,
		[BLK_ANY_CHECK] = blk_any_check,
		[BLK_ANY_TRANSFER] = blk_any_transfer,
		[BLK_ANY_MEMORY] = blk_any_memory,
		[BLK_MIGRATE] = device_migrate,
	};

	steps[op % BLK_DEVICE_STEPS](h);
}
