/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The device's half of the queue harness: chains, completions, life cycle and saved state. */
#include "device.h"
#include "driver.h"
#include "held.h"
#include "requests.h"
#include "steps.h"
#include "streams.h"

#define MOST_BATCH 8u
#define NO_ARGUMENT 0x5a /* fills memory that a failed call must not change */

/*
 * Makes a wrong token:
 *   - 0
 *   - the state of an idle in-flight entry
 *   - a token whose head has all bits set, as in the state of an entry with a flag
 *   - a token with one wrong bit in the high half
 */
static uint64_t odd_token(uint64_t value, uint8_t how)
{
	switch (how & 3) {
	case 0:
		return 0;
	case 1:
		return VIRTIO_IMPL_INFLIGHT_IDLE;
	case 2:
		return value | VIRTIO_IMPL_INFLIGHT_FLAGGED;
	default:
		return value ^ UINT64_C(1) << (32 + (how >> 2 & 3) * 10);
	}
}

/*
 * Picks a token. Most picked tokens belong to a request in flight. Other tokens are old, differ
 * slightly from a token in flight, or have any value.
 */
static struct virtio_token pick_token(struct harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);
	const struct harness_request *r = harness_pick(h);
	struct virtio_token token = r ? r->chain.token : h->tokens[how % HARNESS_TOKENS];

	if (how < 0xa0)
		return token;
	if (how < 0xb0)
		return h->tokens[how % HARNESS_TOKENS];
	if (how < 0xd0)
		token.value += (uint64_t)(int64_t)(int8_t)fuzz_u8(&h->in) << 16;
	else if (how < 0xe0)
		token.value += UINT64_C(1) << how % 16;
	else if (how < 0xf0)
		token.value = odd_token(token.value, how);
	else
		token.value = fuzz_u64(&h->in);
	return token;
}

/* Returns the token of the last popped request that is in flight, or 0 if there is none. */
static struct virtio_token last_token(struct harness *h)
{
	struct virtio_token token = { 0 };
	uint64_t last = 0;

	for (uint32_t i = 0; i < MODEL_MAX_SIZE; i++) {
		const struct model_request *r = &h->model.requests[i];

		if (r->state != MODEL_FLIGHT || r->popped < last)
			continue;
		last = r->popped;
		token = r->token;
	}
	return token;
}

/* Chains */

static struct harness_request *pop(struct harness *h)
{
	struct virtio_chain chain, before;
	struct model_walk walk;
	int got;

	memset(&chain, NO_ARGUMENT, sizeof chain);
	memcpy(&before, &chain, sizeof chain);
	got = virtio_queue_pop(&h->queue, &chain);
	model_pop(&h->model, &walk, got, &chain);
	if (got == 1)
		return harness_keep(h, &chain, &walk);
	FUZZ_CHECK(memcmp(&chain, &before, sizeof chain) == 0, "a pop without a chain changed the chain");
	return NULL;
}

static void device_pop(struct harness *h)
{
	pop(h);
}

static void next(struct harness *h, struct harness_request *r)
{
	struct virtio_desc desc, before;
	int got;

	memset(&desc, NO_ARGUMENT, sizeof desc);
	memcpy(&before, &desc, sizeof desc);
	r->fresh = false;
	got = virtio_chain_next(&r->chain, &desc);
	if (got != 1)
		FUZZ_CHECK(memcmp(&desc, &before, sizeof desc) == 0, "a walk that ended changed the descriptor");
	model_next(&h->model, &r->walk, virtio_token_head(r->chain.token), got, &desc);
	h->allowed += 2 * r->walk.work;
}

static void device_next(struct harness *h)
{
	struct harness_request *r = harness_pick(h);

	if (r && r->walkable)
		next(h, r);
}

/*
 * Calls virtio_chain_next() to the end of a chain or to a limit of calls, and then once more. The
 * limit ends the loop even if the model never ends the walk.
 */
static void device_walk(struct harness *h)
{
	struct harness_request *r = harness_pick(h);
	const uint32_t count = h->model.config.allow_long_indirect ? HARNESS_BYTES / 16 : MODEL_MAX_SIZE;

	for (uint32_t i = 0; r && r->walkable && i < count + 3 && !r->walk.over; i++)
		next(h, r);
	if (r && r->walkable)
		next(h, r);
}

/* Checks that a second resolution after an error returns the same error and no segment. */
static void resolve_after_error(struct harness *h, struct harness_request *r, int error)
{
	struct virtio_chain_segments out = { .segments = r->segments, .needed = NO_ARGUMENT };
	const struct model_chain nothing = { .shape = r->model->errors };

	FUZZ_CHECK(virtio_chain_resolve(&r->chain, &out) == error, "a second resolve did not return %d", error);
	model_left_behind(&h->model, &nothing, error, &out);
}

/* Resolves a request whose walk is at its start. Returns the result. */
static int resolve(struct harness *h, struct harness_request *r, uint32_t capacity)
{
	const uint16_t head = virtio_token_head(r->chain.token);
	struct virtio_chain_segments out;
	int got;

	r->segments = fuzz_alloc(sizeof *r->segments * capacity);
	r->model = fuzz_alloc(sizeof *r->model);
	memset(&out, NO_ARGUMENT, sizeof out);
	out.segments = r->segments;
	out.capacity = capacity;
	model_expect_resolve(&h->model, &r->walk, r->model);
	h->allowed += 2 * r->model->work;
	got = virtio_chain_resolve(&r->chain, &out);
	FUZZ_CHECK(out.segments == r->segments && out.capacity == capacity, "resolve changed the array of the caller");
	model_resolve(&h->model, &r->walk, r->model, head, got, &out);
	/* If the array is too small, the walk stays at its start. */
	r->fresh = got == VIRTIO_ENOBUFS;
	if (got == 0) {
		harness_begin_streams(r, &out, 0, 0);
		return 0;
	}
	if (!r->fresh) {
		model_left_behind(&h->model, r->model, got, &out);
		resolve_after_error(h, r, got);
	}
	harness_forget_resolved(r);
	return got;
}

static void device_resolve(struct harness *h)
{
	const uint8_t capacity = fuzz_u8(&h->in);
	struct harness_request *r = harness_pick(h);

	if (r && r->fresh && r->walkable)
		resolve(h, r, capacity & 0x80 ? MOST_SEGMENTS : capacity % (MOST_SEGMENTS + 1));
}

/*
 * Resolves into an array that may be too small. If the array is too small, resolves again into a
 * larger array.
 */
static void device_resolve_twice(struct harness *h)
{
	const uint32_t capacity = fuzz_u8(&h->in) % (MOST_SEGMENTS + 1);
	struct harness_request *r = harness_pick(h);

	if (r && r->fresh && r->walkable && resolve(h, r, capacity) == VIRTIO_ENOBUFS)
		resolve(h, r, MOST_SEGMENTS);
}

static void device_is_in_flight(struct harness *h)
{
	const struct virtio_token token = pick_token(h);
	const bool got = virtio_queue_is_in_flight(&h->queue, token);

	FUZZ_CHECK(got == model_in_flight_token(&h->model, token), "token %#llx is in flight: %d, the model disagrees",
		   (unsigned long long)token.value, got);
}

static void device_stream(struct harness *h)
{
	struct harness_request *r = harness_pick(h);

	if (r && r->segments)
		harness_stream_step(h, r);
}

/* Completions */

static void complete(struct harness *h, struct virtio_token token, uint32_t len)
{
	const struct virtio_completion one = { token, len };
	const int got = virtio_queue_complete(&h->queue, token, len);

	model_complete(&h->model, &one, 1, got);
}

static void device_complete(struct harness *h)
{
	const struct virtio_token token = pick_token(h);

	if (!harness_replaying(h))
		complete(h, token, (uint32_t)fuzz_number(&h->in));
}

static void device_batch(struct harness *h)
{
	const uint32_t count = fuzz_u8(&h->in) % (MOST_BATCH + 1);
	struct virtio_completion *list = fuzz_alloc(sizeof *list * count);
	int got;

	for (uint32_t i = 0; i < count; i++) {
		list[i].token = pick_token(h);
		list[i].len = (uint32_t)fuzz_number(&h->in);
	}
	if (!harness_replaying(h)) {
		got = virtio_queue_complete_batch(&h->queue, list, count);
		model_complete(&h->model, list, count, got);
	}
	free(list);
}

/* Serves a chain as most devices do: pops, resolves and completes it at once. */
static void device_serve(struct harness *h)
{
	struct harness_request *r = pop(h);

	if (!r)
		return;
	resolve(h, r, MOST_SEGMENTS);
	if (r->segments)
		harness_echo(h, r);
	complete(h, r->chain.token, r->segments ? virtio_writer_used(&r->writer) : 0);
}

static void device_unpop(struct harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);
	const struct virtio_token token = how & 1 ? pick_token(h) : last_token(h);

	model_unpop(&h->model, token, virtio_queue_unpop(&h->queue, token));
}

/* Notifications */

static void device_needs_interrupt(struct harness *h)
{
	model_needs_interrupt(&h->model, virtio_queue_needs_interrupt(&h->queue));
}

static void device_enable(struct harness *h)
{
	model_enable(&h->model, virtio_queue_enable_kicks(&h->queue));
}

static void device_disable(struct harness *h)
{
	model_disable(&h->model, virtio_queue_disable_kicks(&h->queue));
}

static void device_available(struct harness *h)
{
	model_available(&h->model, virtio_queue_available(&h->queue));
}

static void device_read_idx(struct harness *h)
{
	const bool avail = fuzz_u8(&h->in) & 1;
	uint16_t value = 0x5a5a;
	const int got =
		avail ? virtio_queue_read_avail_idx(&h->queue, &value) : virtio_queue_read_used_idx(&h->queue, &value);

	FUZZ_CHECK(got == 0 || value == 0x5a5a, "a failed read changed the index");
	model_read_idx(&h->model, avail, got, value);
}

static void device_set_index(struct harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);
	const uint16_t index = how & 2 ? fuzz_u16(&h->in) : (uint16_t)(0xfffc + (how >> 4));

	if (harness_replaying(h))
		return;
	if (how & 1)
		model_set_index(&h->model, true, index, virtio_queue_set_next_avail(&h->queue, index));
	else
		model_set_index(&h->model, false, index, virtio_queue_set_next_used(&h->queue, index));
	/* The driver sets its available index to the queue's new index. */
	if ((how & 4) && h->model.started)
		shadow_poke16(h->model.map, h->model.config.addr[VIRTIO_QUEUE_AVAIL] + 2, index);
}

/* Life cycle */

static void device_set_memory(struct harness *h)
{
	struct shadow_map *map = h->maps[fuzz_u8(&h->in) & 1];
	const int got = virtio_queue_set_memory(&h->queue, &map->map);

	model_set_memory(&h->model, map, got);
	/* Walks must not continue after a change of the map. */
	for (uint32_t i = 0; i < MODEL_MAX_SIZE && got == 0; i++)
		h->requests[i].walkable = false;
}

/*
 * A chain that outlives a reset uses the queue's cursors. Checks that the cursors reach no memory.
 */
static void check_no_memory(struct harness *h)
{
	for (uint32_t i = 0; i < VIRTIO_MEMORY_USES; i++) {
		struct virtio_memory_cursor *cursor = &h->queue.memory[i];
		uint8_t byte = NO_ARGUMENT;

		FUZZ_CHECK(virtio_memory_read(cursor, h->base, &byte, 1) == VIRTIO_EFAULT,
			   "a read after a reset did not fail");
		FUZZ_CHECK(virtio_memory_write(cursor, h->base, &byte, 1) == VIRTIO_EFAULT,
			   "a write after a reset did not fail");
		FUZZ_CHECK(byte == NO_ARGUMENT, "a failed read changed the byte");
	}
}

/*
 * Initialises the queue again. If @late is true, first sets bits of the sequence number so that the
 * next pop carries into the high half of the token.
 */
static void init_again(struct harness *h, bool late)
{
	FUZZ_CHECK(virtio_queue_init(&h->queue, NULL, h->model.storage) == VIRTIO_EINVAL,
		   "init without storage is accepted");
	if (late)
		h->queue.sequence |= UINT64_C(0xffff) << 16;
	FUZZ_CHECK(virtio_queue_init(&h->queue, h->inflight, h->model.storage) == 0,
		   "a second virtio_queue_init() failed");
	model_init_again(&h->model);
}

static void device_reset(struct harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);

	if (how & 2) {
		init_again(h, how & 4);
	} else {
		virtio_queue_reset(&h->queue);
		model_reset(&h->model);
	}
	check_no_memory(h);
	harness_drop_requests(h);
	if (how & 1)
		harness_reset_driver(h);
}

static void device_start(struct harness *h)
{
	struct virtio_queue_config c = h->config;
	const uint8_t how = fuzz_u8(&h->in);
	struct shadow_map *map = h->maps[how & 1];

	if (how & 2)
		c.event_idx = !c.event_idx;
	if (how & 4)
		c.in_order = !c.in_order;
	if (how & 8)
		c.addr[fuzz_u8(&h->in) % 3] += (uint64_t)(int64_t)(int8_t)fuzz_u8(&h->in);
	if (how & 16)
		c.size = fuzz_u8(&h->in);
	model_start(&h->model, &c, map, virtio_queue_start(&h->queue, &c, &map->map));
	if (h->model.started)
		h->config = h->model.config;
}

/* State */

static void device_save(struct harness *h)
{
	struct virtio_queue_state state, before;
	int got;

	memset(&state, NO_ARGUMENT, sizeof state);
	memcpy(&before, &state, sizeof state);
	got = virtio_queue_save(&h->queue, &state);
	model_save(&h->model, got, &state);
	if (got) {
		FUZZ_CHECK(memcmp(&state, &before, sizeof state) == 0, "a failed save changed the state");
		return;
	}
	h->saved = state;
	h->saved_count = 0;
}

static void device_save_in_flight(struct harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);
	const uint32_t capacity = how & 1 ? MODEL_MAX_SIZE : how >> 1 & 7;
	struct virtio_queue_flight *record = fuzz_alloc(sizeof *record * capacity);
	struct virtio_queue_state state = h->saved;
	uint32_t count = h->saved_count;
	const int got = virtio_queue_save_in_flight(&h->queue, &state, record, capacity, &count);

	model_save_in_flight(&h->model, capacity, got, &state, record, count);
	if (got == 0) {
		h->saved = state;
		h->saved_count = count;
		memcpy(h->saved_record, record, sizeof *record * count);
	} else {
		FUZZ_CHECK(count == h->saved_count && state.next_avail == h->saved.next_avail,
			   "a failed save changed the state or the count");
	}
	free(record);
}

/* Sets a bool to any byte, because a file may have any byte there. */
static void set_flag(struct virtio_queue_config *config, uint8_t which, uint8_t value)
{
	bool *const flags[] = { &config->ready,
				&config->event_idx,
				&config->indirect,
				&config->in_order,
				&config->allow_unnegotiated_indirect,
				&config->allow_long_indirect };

	memcpy(flags[which % 6], &value, 1);
}

static void device_restore(struct harness *h)
{
	struct virtio_queue_state state = h->saved;
	const uint8_t how = fuzz_u8(&h->in);
	struct shadow_map *map = h->maps[how & 1];
	struct virtio_chain chain;

	if (how & 2)
		state.next_avail = (uint16_t)(state.next_avail + (int8_t)fuzz_u8(&h->in));
	if (how & 4)
		state.config.size = fuzz_u16(&h->in);
	if (how & 8)
		state.config.addr[how >> 4 & 1] ^= (uint64_t)1 << (fuzz_u8(&h->in) & 63);
	if (how & 0x20) {
		const uint8_t which = fuzz_u8(&h->in);

		set_flag(&state.config, which, fuzz_u8(&h->in));
	}
	if (model_restore(&h->model, &state, map, virtio_queue_restore(&h->queue, &state, &map->map)))
		return;
	/* The queue is broken, and its areas are not in memory. A pop must fail. */
	FUZZ_CHECK(virtio_queue_pop(&h->queue, &chain) == VIRTIO_EBROKEN, "a queue without areas is not broken");
	virtio_queue_reset(&h->queue);
	model_reset(&h->model);
}

static void device_replay(struct harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);
	const uint32_t index = h->saved_count - h->model.replay;
	const struct virtio_queue_flight forged = { .head = how & 0x3f, .completed = how & 1, .written = how };
	const bool saved = how < 0xc0 && index < h->saved_count;
	const struct virtio_queue_flight request = saved ? h->saved_record[index] : forged;
	struct virtio_chain chain = { .token = { NO_ARGUMENT } };
	struct model_walk walk;
	const int got = virtio_queue_replay(&h->queue, &request, &chain);

	model_replay(&h->model, &request, &walk, got, &chain);
	if (got == 1)
		harness_keep(h, &chain, &walk);
	else
		FUZZ_CHECK(chain.token.value == NO_ARGUMENT && !chain.memory,
			   "a replay without a chain changed the chain");
}

/* Migrates the queue: saves, resets and restores it, and replays its requests. */
static void device_migrate(struct harness *h)
{
	device_save_in_flight(h);
	device_reset(h);
	device_restore(h);
	while (harness_replaying(h) && h->in.left)
		device_replay(h);
}

/*
 * Returns the limit of translations for a step without a walk. The limit is 400, plus 4 for each
 * piece of the ring areas in each map.
 */
static uint64_t ring_work(struct harness *h)
{
	uint64_t work = 400;

	for (int i = 0; i < 2; i++)
		for (int area = 0; area < 3; area++)
			work += 4 * shadow_pieces(h->maps[i], h->config.addr[area], model_area_bytes(&h->config, area),
						  VIRTIO_ACCESS_READ);
	return work;
}

void harness_device_step(struct harness *h, uint8_t op)
{
	static void (*const steps[DEVICE_STEPS])(struct harness *) = {
		[DEVICE_SERVE] = device_serve,
		[DEVICE_POP] = device_pop,
		[DEVICE_NEXT] = device_next,
		[DEVICE_WALK] = device_walk,
		[DEVICE_RESOLVE] = device_resolve,
		[DEVICE_STREAM] = device_stream,
		[DEVICE_COMPLETE] = device_complete,
		[DEVICE_BATCH] = device_batch,
		[DEVICE_UNPOP] = device_unpop,
		[DEVICE_NEEDS_NOTIFICATION] = device_needs_interrupt,
		[DEVICE_ENABLE] = device_enable,
		[DEVICE_DISABLE] = device_disable,
		[DEVICE_AVAILABLE] = device_available,
		[DEVICE_READ_IDX] = device_read_idx,
		[DEVICE_SET_INDEX] = device_set_index,
		[DEVICE_SET_MEMORY] = device_set_memory,
		[DEVICE_RESET] = device_reset,
		[DEVICE_START] = device_start,
		[DEVICE_SAVE] = device_save,
		[DEVICE_SAVE_IN_FLIGHT] = device_save_in_flight,
		[DEVICE_RESTORE] = device_restore,
		[DEVICE_REPLAY] = device_replay,
		[DEVICE_MIGRATE] = device_migrate,
		[DEVICE_RESOLVE_TWICE] = device_resolve_twice,
		[DEVICE_IS_IN_FLIGHT] = device_is_in_flight,
		[DEVICE_POP_REQUEST] = harness_pop_request,
		[DEVICE_PARSE_REQUEST] = harness_parse_request,
		[DEVICE_COMPLETE_REQUEST] = harness_complete_request,
	};
	uint64_t calls = h->maps[0]->calls + h->maps[1]->calls;

	h->allowed = h->maps[0]->page_shift ? ring_work(h) : 0;
	steps[op % DEVICE_STEPS](h);
	calls = h->maps[0]->calls + h->maps[1]->calls - calls;
	FUZZ_CHECK(calls <= h->allowed, "a step made %llu translations, allowed %llu", (unsigned long long)calls,
		   (unsigned long long)h->allowed);
	/* Forgets the requests that are no longer in flight. */
	for (uint32_t i = 0; i < MODEL_MAX_SIZE; i++)
		if (h->model.requests[i].state != MODEL_FLIGHT)
			harness_drop(h, &h->requests[i]);
}
