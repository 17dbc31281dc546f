/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests the save of a queue's state, with and without requests in flight, and the restore.
 * queue_replay_test.c tests replays.
 *
 * Hostile 73 to 75, 78 to 80, 237 to 239, 243; regressions R16 to R18, R23. A queue does not know
 * its number, so the caller keeps the number. In hostile 79 the number is the position in an array.
 * A state has no file format, version or device status. The code that writes a file adds all three.
 */
#include "queue_state_fixture.h"

static bool same_config(const struct virtio_queue_config *a, const struct virtio_queue_config *b)
{
	return memcmp(a->addr, b->addr, sizeof a->addr) == 0 && a->max_size == b->max_size && a->size == b->size &&
	       a->ready == b->ready && a->event_idx == b->event_idx && a->indirect == b->indirect &&
	       a->in_order == b->in_order && a->allow_unnegotiated_indirect == b->allow_unnegotiated_indirect &&
	       a->allow_long_indirect == b->allow_long_indirect;
}

/* Saving */

/*
 * Both kinds of save must return a state of zeroes. A restore of this state must not start the
 * queue.
 */
static void expect_nothing_saved(struct fixture *f)
{
	static const struct virtio_queue_state empty;
	struct virtio_queue_state saved = odd_state(), in_flight = odd_state();
	struct virtio_queue_flight record[1] = { { .head = 77 } };
	uint32_t count = 77;

	fixture_save(f);
	assert_int_equal(virtio_queue_save(&f->queue, &saved), 0);
	assert_int_equal(virtio_queue_save_in_flight(&f->queue, &in_flight, record, 1, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(record[0].head, 77);
	assert_memory_equal(&saved.config.addr, &empty.config.addr, sizeof empty.config.addr);
	assert_true(same_config(&saved.config, &empty.config) && same_config(&in_flight.config, &empty.config));
	assert_true(saved.next_avail == 0 && saved.next_used == 0);
	assert_true(in_flight.next_avail == 0 && in_flight.next_used == 0);
	assert_int_equal(virtio_queue_restore(&f->queue, &saved, &f->device_map), 0);
	assert_true(fixture_unchanged(f));
}

static void queue_save_of_queue_that_is_not_started_is_empty(void **state)
{
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	forget_queue(&f);
	expect_nothing_saved(&f);
	fixture_start(&f);
	virtio_queue_reset(&f.queue);
	expect_nothing_saved(&f);
}

/* An empty state is all zeroes. A state of zeroes with one or two other values is invalid. */
static void queue_restore_refuses_nearly_empty_state(void **state)
{
	struct virtio_queue_state nearly[5] = { 0 };
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	forget_queue(&f);
	nearly[0].config.addr[2] = 16;
	nearly[1].config.max_size = SIZE;
	nearly[2].config.event_idx = true;
	nearly[3].next_avail = nearly[3].next_used = 1;
	nearly[4].next_used = 1;
	fixture_save(&f);
	for (size_t i = 0; i < sizeof nearly / sizeof nearly[0]; i++)
		assert_true(virtio_queue_restore(&f.queue, &nearly[i], &f.device_map) < 0);
	assert_true(fixture_unchanged(&f));
}

/* A pause keeps the indices. No request is lost or popped twice. */
static void queue_pause_goes_on_where_it_was(void **state)
{
	struct virtio_queue_state paused;
	struct virtio_token token;
	struct virtio_chain chain;
	struct fixture f;
	uint16_t waiting;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, &token, 1);
	waiting = fixture_add(&f, &one, 1);
	fixture_save(&f);
	memset(&paused, 0x5c, sizeof paused);
	assert_int_equal(virtio_queue_pause(&f.queue, &paused), VIRTIO_EBUSY);
	assert_true(is_odd(&paused) && fixture_unchanged(&f));
	assert_int_equal(virtio_queue_complete(&f.queue, token, 5), 0);
	f.rewriting = false;
	assert_int_equal(virtio_queue_pause(&f.queue, &paused), 0);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_ENOTREADY);
	assert_int_equal(virtio_queue_pause(&f.queue, &paused), VIRTIO_ENOTREADY);
	assert_int_equal(virtio_queue_complete(&f.queue, token, 5), VIRTIO_ESTALE);
	assert_int_equal(virtio_queue_restore(&f.queue, &paused, &f.device_map), 0);
	token = pop(&f);
	assert_int_equal(virtio_token_head(token), waiting);
	assert_int_equal(virtio_queue_complete(&f.queue, token, 6), 0);
	assert_int_equal(virtio_queue_next_used(&f.queue), 2);
}

/*
 * A broken queue can be moved with its requests in flight. The moved queue pops nothing, and its
 * completions still reach the driver.
 */
static void queue_save_keeps_broken_queue_broken(void **state)
{
	struct virtio_token tokens[2];
	struct virtio_queue_flight record[SIZE];
	struct virtio_chain chain;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, tokens, 2);
	fixture_offer_head(&f, SIZE);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_EHEAD);
	assert_int_equal(move_queue(&f, record), 2);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_EBROKEN);
		tokens[i] = replay(&f, record[i]);
	}
	assert_int_equal(virtio_queue_enable_kicks(&f.queue), VIRTIO_EBROKEN);
	/* A second save and restore keeps the fault as well. */
	assert_int_equal(move_queue(&f, record), 2);
	assert_int_equal(f.queue.broken, VIRTIO_EHEAD);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(virtio_queue_complete(&f.queue, replay(&f, record[i]), 7 + i), 0);
	assert_used(&f, record[0].head, 7);
	assert_used(&f, record[1].head, 8);
	virtio_queue_reset(&f.queue);
	assert_int_equal(f.queue.broken, 0);
}

/*
 * Hostile 80: a save without the record of requests in flight is refused while a request is in
 * flight.
 */
static void queue_save_refuses_requests_in_flight(void **state)
{
	struct virtio_queue_state saved = odd_state();
	struct virtio_token token;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, &token, 1);
	fixture_save(&f);
	assert_int_equal(virtio_queue_save(&f.queue, &saved), VIRTIO_EBUSY);
	assert_true(is_odd(&saved));
	assert_true(fixture_unchanged(&f));
	assert_int_equal(virtio_queue_complete(&f.queue, token, 0), 0);
	assert_int_equal(virtio_queue_save(&f.queue, &saved), 0);
}

static void queue_save_gives_configuration_and_indices(void **state)
{
	struct virtio_queue_state saved = odd_state();
	struct virtio_token tokens[3];
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	f.config.event_idx = true;
	f.config.indirect = true;
	f.config.allow_long_indirect = true;
	fixture_start(&f);
	fixture_pop_some(&f, tokens, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(virtio_queue_complete(&f.queue, tokens[i], 0), 0);
	fixture_save(&f);
	assert_int_equal(virtio_queue_save(&f.queue, &saved), 0);
	assert_true(same_config(&saved.config, &f.config));
	assert_int_equal(saved.next_avail, 3);
	assert_int_equal(saved.next_used, 3);
	/* The save has not changed the queue, which continues as before. */
	assert_true(fixture_unchanged(&f));
	(void)fixture_add(&f, &one, 1);
	(void)pop(&f);
}

/* Regression R18: the state does not hold which notifications were sent or are due. */
static void queue_save_holds_nothing_about_notifications(void **state)
{
	struct virtio_queue_state before, after;
	struct virtio_token token;
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	f.config.event_idx = true;
	fixture_start(&f);
	fixture_pop_some(&f, &token, 1);
	assert_int_equal(virtio_queue_complete(&f.queue, token, 0), 0);
	assert_int_equal(virtio_queue_save(&f.queue, &before), 0);
	assert_true(virtio_queue_needs_interrupt(&f.queue));
	assert_int_equal(virtio_queue_enable_kicks(&f.queue), 0);
	assert_int_equal(virtio_queue_save(&f.queue, &after), 0);
	assert_true(same_config(&before.config, &after.config));
	assert_int_equal(before.next_avail, after.next_avail);
	assert_int_equal(before.next_used, after.next_used);
	/* The state holds only the configuration, the two indices and `broken`. */
	assert_true(offsetof(struct virtio_queue_state, next_avail) == sizeof(struct virtio_queue_config));
	assert_true(sizeof(struct virtio_queue_state) - sizeof(struct virtio_queue_config) < 4 + _Alignof(uint64_t));
}

/*
 * Hostile 80, 239: requests in flight are saved in the order of their pops. The values of the heads
 * do not matter.
 */
static void queue_save_in_flight_lists_heads_in_order(void **state)
{
	static const uint16_t offered[6] = { 5, 2, 7, 0, 6, 1 };
	struct virtio_queue_state saved = odd_state();
	struct virtio_token tokens[6];
	struct virtio_queue_flight record[SIZE];
	uint32_t count = 77;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	assert_int_equal(virtio_queue_save_in_flight(&f.queue, &saved, record, 0, &count), 0);
	assert_int_equal(count, 0);
	for (uint32_t i = 0; i < 6; i++) {
		fixture_offer_chain(&f, offered[i], &one, 1);
		tokens[i] = pop(&f);
	}
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[1], 0), 0);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[4], 0), 0);
	fixture_save(&f);
	assert_int_equal(virtio_queue_save_in_flight(&f.queue, &saved, record, 4, &count), 0);
	assert_int_equal(count, 4);
	assert_int_equal(record[0].head, 5);
	assert_int_equal(record[1].head, 7);
	assert_int_equal(record[2].head, 0);
	assert_int_equal(record[3].head, 1);
	assert_int_equal(saved.next_avail, 6);
	assert_int_equal(saved.next_used, 2);
	assert_true(same_config(&saved.config, &f.config));
	assert_true(fixture_unchanged(&f));
}

static void queue_save_in_flight_refuses_array_that_is_too_small(void **state)
{
	struct virtio_queue_state saved = odd_state();
	struct virtio_queue_flight record[4] = { [3].head = 77 };
	struct virtio_token tokens[3];
	uint32_t count = 77;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, tokens, 3);
	fixture_save(&f);
	for (uint32_t capacity = 0; capacity < 3; capacity++) {
		assert_int_equal(virtio_queue_save_in_flight(&f.queue, &saved, record, capacity, &count),
				 VIRTIO_ENOBUFS);
		assert_true(is_odd(&saved));
		assert_int_equal(count, 77);
	}
	assert_true(fixture_unchanged(&f));
	assert_int_equal(virtio_queue_save_in_flight(&f.queue, &saved, record, 3, &count), 0);
	assert_int_equal(count, 3);
	assert_int_equal(record[3].head, 77);
}

/*
 * Under IN_ORDER the record includes a completion that waits for its turn. The new owner does not
 * execute that request again, and the driver sees all completions in order.
 */
static void queue_save_records_completion_that_waits(void **state)
{
	struct virtio_queue_flight record[SIZE];
	struct virtio_token tokens[3];
	struct virtio_chain chain;
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	f.config.in_order = true;
	fixture_start(&f);
	fixture_pop_some(&f, tokens, 3);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[1], 11), 0);
	for (uint32_t cycle = 0; cycle < 2; cycle++) {
		assert_int_equal(virtio_queue_save(&f.queue, &(struct virtio_queue_state){ 0 }), VIRTIO_EBUSY);
		assert_int_equal(move_queue(&f, record), 3);
		assert_true(!record[0].completed && record[1].completed && !record[2].completed);
		assert_int_equal(record[1].written, 11);
		tokens[0] = replay(&f, record[0]);
		assert_int_equal(virtio_queue_replay(&f.queue, &record[1], &chain), 0);
		tokens[2] = replay(&f, record[2]);
		assert_int_equal(virtio_queue_in_flight(&f.queue), 2);
	}
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[2], 12), 0);
	assert_int_equal(virtio_queue_next_used(&f.queue), 0);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[0], 10), 0);
	for (uint32_t i = 0; i < 3; i++)
		assert_used(&f, record[i].head, 10 + i);
	assert_true(virtio_queue_quiesced(&f.queue));
}

static void queue_save_refuses_while_replay_is_due(void **state)
{
	struct virtio_token tokens[2];
	struct virtio_queue_flight record[SIZE];
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, tokens, 2);
	assert_int_equal(move_queue(&f, record), 2);
	assert_saves_refused(&f, VIRTIO_EBUSY, VIRTIO_EBUSY);
	(void)replay(&f, record[0]);
	assert_saves_refused(&f, VIRTIO_EBUSY, VIRTIO_EBUSY);
	(void)replay(&f, record[1]);
	assert_int_equal(move_queue(&f, record), 2);
}

/*
 * The caller has set next_used, so next_avail - next_used is not the number of requests in flight.
 * A restore would replay as many requests as this difference, so each save is refused.
 */
static void queue_save_refuses_indices_that_disagree(void **state)
{
	struct virtio_queue_state saved = odd_state();
	struct virtio_token token;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	assert_int_equal(virtio_queue_set_next_used(&f.queue, 3), 0);
	assert_saves_refused(&f, VIRTIO_EINVAL, VIRTIO_EINVAL);
	fixture_pop_some(&f, &token, 1);
	assert_saves_refused(&f, VIRTIO_EBUSY, VIRTIO_EINVAL);
	assert_int_equal(virtio_queue_complete(&f.queue, token, 0), 0);
	assert_int_equal(virtio_queue_set_next_used(&f.queue, 1), 0);
	assert_int_equal(virtio_queue_save(&f.queue, &saved), 0);
	assert_int_equal(saved.next_avail, 1);
	assert_int_equal(saved.next_used, 1);
}

/* Restoring */

/*
 * Hostile 238: the next index comes from the saved state, and not from guest memory. The available
 * index in guest memory is higher by 1.
 */
static void queue_restore_goes_on_where_save_left_off(void **state)
{
	struct virtio_queue_state saved;
	struct virtio_token tokens[2], token;
	uint16_t waiting;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	fixture_pop_some(&f, tokens, 2);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[0], 1), 0);
	assert_int_equal(virtio_queue_complete(&f.queue, tokens[1], 2), 0);
	waiting = fixture_add(&f, &one, 1);
	assert_int_equal(virtio_queue_save(&f.queue, &saved), 0);
	forget_queue(&f);
	assert_int_equal(virtio_queue_restore(&f.queue, &saved, &f.device_map), 0);
	assert_true(virtio_queue_quiesced(&f.queue));
	assert_int_equal(virtio_queue_next_avail(&f.queue), 2);
	assert_int_equal(virtio_queue_next_used(&f.queue), 2);
	token = pop(&f);
	assert_int_equal(virtio_token_head(token), waiting);
	assert_int_equal(virtio_queue_complete(&f.queue, token, 3), 0);
	assert_used(&f, virtio_token_head(tokens[0]), 1);
	assert_used(&f, virtio_token_head(tokens[1]), 2);
	assert_used(&f, waiting, 3);
}

/* A good state with one changed field, and the expected result. */
struct corruption {
	size_t offset;
	size_t bytes;
	uint64_t value;
	int error;
};

#define FIELD(member) offsetof(struct virtio_queue_state, member), sizeof(((struct virtio_queue_state *)NULL)->member)
#define DESC FIELD(config.addr[VIRTIO_QUEUE_DESC])
#define AVAIL FIELD(config.addr[VIRTIO_QUEUE_AVAIL])
#define USED FIELD(config.addr[VIRTIO_QUEUE_USED])

/*
 * Hostile 73 to 75, regressions R16 and R17: the error of each bad field. Both indices are 1 in the
 * good state.
 */
static const struct corruption corruptions[] = {
	{ FIELD(config.max_size), 0, VIRTIO_ESIZE },
	{ FIELD(config.max_size), 15, VIRTIO_ESIZE },
	{ FIELD(config.max_size), 65535, VIRTIO_ESIZE },
	{ FIELD(config.max_size), SIZE / 2, VIRTIO_ESIZE },
	{ FIELD(config.size), 0, VIRTIO_ESIZE },
	{ FIELD(config.size), 7, VIRTIO_ESIZE },
	{ FIELD(config.size), 15, VIRTIO_ESIZE },
	{ FIELD(config.size), 65535, VIRTIO_ESIZE },
	{ FIELD(config.size), 2 * SIZE, VIRTIO_ESIZE },
	{ FIELD(config.ready), 0, VIRTIO_ENOTREADY },
	{ DESC, FIXTURE_BASE + 8, VIRTIO_EALIGN },
	{ AVAIL, FIXTURE_BASE + 1, VIRTIO_EALIGN },
	{ USED, FIXTURE_BASE + 2, VIRTIO_EALIGN },
	{ DESC, 0, VIRTIO_EFAULT },
	{ AVAIL, 0, VIRTIO_EFAULT },
	{ USED, 0, VIRTIO_EFAULT },
	{ DESC, FIXTURE_END - 16, VIRTIO_EFAULT },
	{ AVAIL, FIXTURE_END - 16, VIRTIO_EFAULT },
	{ USED, FIXTURE_END - 16, VIRTIO_EFAULT },
	{ DESC, FIXTURE_BASE - 16, VIRTIO_EFAULT },
	{ AVAIL, FIXTURE_BASE - 16, VIRTIO_EFAULT },
	{ USED, FIXTURE_BASE - 16, VIRTIO_EFAULT },
	{ DESC, UINT64_MAX - 15, VIRTIO_EFAULT },
	{ AVAIL, UINT64_MAX - 1, VIRTIO_EFAULT },
	{ USED, UINT64_MAX - 3, VIRTIO_EFAULT },
	{ FIELD(next_avail), 1 + SIZE + 1, VIRTIO_EINVAL },
	{ FIELD(next_avail), 0, VIRTIO_EINVAL },
	{ FIELD(next_used), 65536 + 1 - SIZE - 1, VIRTIO_EINVAL },
	{ FIELD(next_used), 2, VIRTIO_EINVAL },
};

static void corrupt(struct virtio_queue_state *s, const struct corruption *c)
{
	const uint16_t two = (uint16_t)c->value;
	const uint8_t one_byte = (uint8_t)c->value;
	const void *value = c->bytes == 8 ? (const void *)&c->value : c->bytes == 2 ? (const void *)&two : &one_byte;

	memcpy((uint8_t *)s + c->offset, value, c->bytes);
}

/* Returns a state with both indices at 1. Replaces the queue by a new queue. */
static struct virtio_queue_state good_state(struct fixture *f)
{
	struct virtio_queue_state good;
	struct virtio_token token;

	fixture_pop_some(f, &token, 1);
	assert_int_equal(virtio_queue_complete(&f->queue, token, 0), 0);
	assert_int_equal(virtio_queue_save(&f->queue, &good), 0);
	forget_queue(f);
	return good;
}

/*
 * The restore must be refused with this error. With a translation, the guest decides whether areas
 * are in memory. Then a restore with an area outside memory succeeds, and the queue is broken.
 */
static void expect_restore_refused(struct fixture *f, const struct virtio_queue_state *bad, int error)
{
	const bool gone = error == VIRTIO_EFAULT || error == VIRTIO_EPERM;
	struct virtio_chain chain;

	if (!gone || !f->device_map.translate) {
		assert_int_equal(virtio_queue_restore(&f->queue, bad, &f->device_map), error);
		assert_true(fixture_unchanged(f));
		return;
	}
	assert_int_equal(virtio_queue_restore(&f->queue, bad, &f->device_map), 0);
	assert_int_equal(virtio_queue_pop(&f->queue, &chain), VIRTIO_EBROKEN);
	virtio_queue_reset(&f->queue);
	fixture_save(f);
}

static void queue_restore_refuses_corrupted_field(void **state)
{
	struct virtio_queue_state good;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	good = good_state(&f);
	fixture_save(&f);
	for (uint32_t i = 0; i < COUNT(corruptions); i++) {
		struct virtio_queue_state bad = good;

		corrupt(&bad, &corruptions[i]);
		expect_restore_refused(&f, &bad, corruptions[i].error);
	}
	assert_int_equal(virtio_queue_restore(&f.queue, &good, &f.device_map), 0);
	assert_int_equal(virtio_queue_next_avail(&f.queue), 1);
}

/*
 * A state comes from a file, so the byte of a bool may have any value. A byte other than 0 and 1
 * must not be loaded as a bool.
 */
static void queue_restore_refuses_bool_neither_0_nor_1(void **state)
{
	static const size_t bools[] = {
		offsetof(struct virtio_queue_state, config.ready),
		offsetof(struct virtio_queue_state, config.event_idx),
		offsetof(struct virtio_queue_state, config.indirect),
		offsetof(struct virtio_queue_state, config.in_order),
		offsetof(struct virtio_queue_state, config.allow_unnegotiated_indirect),
		offsetof(struct virtio_queue_state, config.allow_long_indirect),
	};
	struct virtio_queue_state good;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	good = good_state(&f);
	fixture_save(&f);
	for (uint32_t i = 0; i < COUNT(bools); i++) {
		for (int byte = 2; byte <= 0xff; byte++) {
			struct virtio_queue_state bad = good;

			memset((uint8_t *)&bad + bools[i], byte, 1);
			assert_int_equal(virtio_queue_restore(&f.queue, &bad, &f.device_map), VIRTIO_EINVAL);
			assert_true(fixture_unchanged(&f));
		}
	}
	assert_int_equal(virtio_queue_restore(&f.queue, &good, &f.device_map), 0);
	good.config.ready = true;
	memset(&good.config.event_idx, 2, 1);
	assert_int_equal(virtio_queue_restore(&f.queue, &good, &f.device_map), VIRTIO_EBUSY);
}

/*
 * Hostile 74: in the state the queue is ready, but has no addresses. The available index would be
 * at address 2, and must not be read there.
 */
static void queue_restore_refuses_ready_queue_without_addresses(void **state)
{
	struct virtio_queue_state bad;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	bad = good_state(&f);
	memset(bad.config.addr, 0, sizeof bad.config.addr);
	fixture_save(&f);
	expect_restore_refused(&f, &bad, VIRTIO_EFAULT);
}

/* The queue in the state has more descriptors than the new owner has storage for. */
static void queue_restore_refuses_size_above_storage(void **state)
{
	struct virtio_queue_state bad;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	bad = good_state(&f);
	bad.config.max_size = 2 * FIXTURE_MAX_SIZE;
	bad.config.size = 2 * FIXTURE_MAX_SIZE;
	for (int i = 0; i < 3; i++)
		bad.config.addr[i] = FIXTURE_DATA;
	fixture_save(&f);
	assert_int_equal(virtio_queue_restore(&f.queue, &bad, &f.device_map), VIRTIO_EINVAL);
	assert_true(fixture_unchanged(&f));
}

static void queue_restore_refuses_started_queue(void **state)
{
	struct virtio_queue_state saved;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	assert_int_equal(virtio_queue_save(&f.queue, &saved), 0);
	fixture_save(&f);
	assert_int_equal(virtio_queue_restore(&f.queue, &saved, &f.device_map), VIRTIO_EBUSY);
	saved.next_avail = 100;
	assert_int_equal(virtio_queue_restore(&f.queue, &saved, &f.device_map), VIRTIO_EBUSY);
	assert_true(fixture_unchanged(&f));
}

/* The used ring must be writable for the device. */
static void queue_restore_refuses_read_only_memory(void **state)
{
	struct virtio_queue_state saved;
	struct virtio_region rom;
	struct virtio_memory_map map;
	struct fixture f;

	(void)state;
	fixture_setup(&f, FIXTURE_FLAT, SIZE);
	assert_int_equal(virtio_queue_save(&f.queue, &saved), 0);
	forget_queue(&f);
	rom = f.regions[0];
	rom.flags = VIRTIO_REGION_READ_ONLY;
	assert_int_equal(virtio_memory_map_init(&map, &rom, 1), 0);
	fixture_save(&f);
	assert_int_equal(virtio_queue_restore(&f.queue, &saved, &map), VIRTIO_EPERM);
	assert_true(fixture_unchanged(&f));
}

/* Without a map no area is in memory, so the restore is refused. */
static void queue_restore_refuses_missing_map(void **state)
{
	struct virtio_queue_state saved;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	saved = good_state(&f);
	fixture_save(&f);
	assert_int_equal(virtio_queue_restore(&f.queue, &saved, NULL), VIRTIO_EFAULT);
	assert_true(fixture_unchanged(&f));
}

static void queue_restore_can_be_retried_when_rings_are_mapped(void **state)
{
	struct virtio_queue_state saved;
	struct fixture f;

	(void)state;
	fixture_setup(&f, FIXTURE_CHANGING, SIZE);
	assert_int_equal(virtio_queue_save(&f.queue, &saved), 0);
	forget_queue(&f);
	f.bad_start = f.mock.addr[VIRTIO_QUEUE_USED];
	f.bad_end = FIXTURE_END;
	f.bad_error = VIRTIO_ENOTMAPPED;
	fixture_save(&f);
	assert_int_equal(virtio_queue_restore(&f.queue, &saved, &f.device_map), VIRTIO_ENOTMAPPED);
	assert_true(fixture_unchanged(&f));
	f.bad_error = 0;
	assert_int_equal(virtio_queue_restore(&f.queue, &saved, &f.device_map), 0);
}

/*
 * Hostile 78, regressions R18 and R23: perhaps the old owner has not sent an interrupt that is due.
 * `expected` is whether the new owner sends one interrupt, without a completion of its own.
 */
static void assert_notifies_once_after_restore(struct fixture *f, bool expected)
{
	struct virtio_queue_state saved;
	struct virtio_token token;

	fixture_pop_some(f, &token, 1);
	assert_int_equal(virtio_queue_complete(&f->queue, token, 0), 0);
	assert_int_equal(virtio_queue_save(&f->queue, &saved), 0);
	forget_queue(f);
	assert_int_equal(virtio_queue_restore(&f->queue, &saved, &f->device_map), 0);
	assert_int_equal(virtio_queue_needs_interrupt(&f->queue), expected);
	assert_false(virtio_queue_needs_interrupt(&f->queue));
}

static void queue_restore_notifies_once_with_event_idx(void **state)
{
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	f.config.event_idx = true;
	fixture_start(&f);
	/*
	 * This used_event asks for no interrupt. The new owner still interrupts once, because the
	 * state does not hold which interrupts were sent.
	 */
	fixture_set(&f, VIRTIO_MOCK_USED_EVENT, 0x4000);
	assert_notifies_once_after_restore(&f, true);
}

static void queue_restore_notifies_once_without_event_idx(void **state)
{
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	assert_notifies_once_after_restore(&f, true);
	/* A driver that polls gets no interrupt. */
	fixture_set(&f, VIRTIO_MOCK_AVAIL_FLAGS, VRING_AVAIL_F_NO_INTERRUPT);
	assert_notifies_once_after_restore(&f, false);
}

/*
 * Hostile 78: a buffer was made available before the restore, and the kick for the buffer was lost.
 * The new owner finds the buffer without another kick.
 */
static void queue_restore_finds_what_was_kicked_before(void **state)
{
	struct virtio_queue_state saved;
	struct fixture f;
	uint16_t head;

	fixture_init(&f, fixture_kind(state), SIZE);
	f.config.event_idx = true;
	fixture_start(&f);
	assert_int_equal(virtio_queue_save(&f.queue, &saved), 0);
	head = fixture_add(&f, &one, 1);
	assert_int_equal(virtio_mock_should_kick(&f.mock), 1);
	forget_queue(&f);
	assert_int_equal(virtio_queue_restore(&f.queue, &saved, &f.device_map), 0);
	assert_int_equal(virtio_queue_enable_kicks(&f.queue), 1);
	assert_int_equal(virtio_token_head(pop(&f)), head);
}

/*
 * Hostile 79: the second of three queues was never started. The restore of the other two queues is
 * not affected.
 */
static void queue_restore_keeps_sparse_queues_apart(void **state)
{
	struct virtio_inflight inflight[3][SIZE];
	struct virtio_queue queues[3];
	struct virtio_queue_state saved[3] = { { .next_avail = 0 } };
	struct fixture f;

	fixture_init(&f, fixture_kind(state), SIZE);
	for (uint16_t i = 0; i < 3; i++) {
		saved[i].config = f.config;
		saved[i].config.ready = i != 1;
		saved[i].next_avail = saved[i].next_used = (uint16_t)(100 * i);
		assert_int_equal(virtio_queue_init(&queues[i], inflight[i], SIZE), 0);
	}
	for (uint16_t i = 0; i < 3; i++)
		assert_int_equal(virtio_queue_restore(&queues[i], &saved[i], &f.device_map),
				 i == 1 ? VIRTIO_ENOTREADY : 0);
	assert_int_equal(virtio_queue_next_avail(&queues[0]), 0);
	assert_int_equal(virtio_queue_next_avail(&queues[2]), 200);
	assert_int_equal(virtio_queue_save(&queues[1], &saved[1]), 0);
	assert_false(saved[1].config.ready);
}

/*
 * Hostile 237: the available index in guest memory is bad at the restore. The restore succeeds, and
 * the queue breaks at the next read of the index.
 */
static void queue_restore_with_bad_available_index_breaks_at_a_pop(void **state)
{
	struct virtio_queue_state saved;
	struct virtio_queue_stats stats;
	struct virtio_chain chain;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	saved = good_state(&f);
	fixture_set(&f, VIRTIO_MOCK_AVAIL_IDX, 1 + SIZE + 1);
	assert_int_equal(virtio_queue_restore(&f.queue, &saved, &f.device_map), 0);
	assert_true(virtio_queue_pop(&f.queue, &chain) < 0);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), VIRTIO_EBROKEN);
	virtio_queue_get_stats(&f.queue, &stats);
	assert_int_equal(stats.first_error, VIRTIO_EAVAILIDX);
	assert_int_equal(stats.ring_faults, 1);
	assert_int_equal(stats.chains, 0);
}

/*
 * Hostile 243: each save lists the requests replayed or popped after the last restore. A buffer
 * that is not popped yet is never lost.
 */
static void queue_save_after_restore_keeps_what_was_in_flight(void **state)
{
	struct virtio_token tokens[3];
	struct virtio_queue_flight record[SIZE];
	uint16_t waiting;
	struct fixture f;

	fixture_setup(&f, fixture_kind(state), SIZE);
	for (uint32_t cycle = 0; cycle < 3; cycle++) {
		waiting = fixture_add(&f, &one, 1);
		assert_int_equal(move_queue(&f, record), cycle);
		for (uint32_t i = 0; i < cycle; i++) {
			assert_int_equal(record[i].head, virtio_token_head(tokens[i]));
			tokens[i] = replay(&f, record[i]);
		}
		tokens[cycle] = pop(&f);
		assert_int_equal(virtio_token_head(tokens[cycle]), waiting);
	}
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(virtio_queue_complete(&f.queue, tokens[i], 10 + i), 0);
		assert_used(&f, virtio_token_head(tokens[i]), 10 + i);
	}
	assert_true(virtio_queue_quiesced(&f.queue));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_ON_ALL(queue_save_of_queue_that_is_not_started_is_empty),
		FIXTURE_ON_ALL(queue_restore_refuses_nearly_empty_state),
		FIXTURE_ON_ALL(queue_pause_goes_on_where_it_was),
		FIXTURE_ON_ALL(queue_save_keeps_broken_queue_broken),
		FIXTURE_ON_ALL(queue_save_refuses_requests_in_flight),
		FIXTURE_ON_ALL(queue_save_gives_configuration_and_indices),
		FIXTURE_ON_ALL(queue_save_holds_nothing_about_notifications),
		FIXTURE_ON_ALL(queue_save_in_flight_lists_heads_in_order),
		FIXTURE_ON_ALL(queue_save_in_flight_refuses_array_that_is_too_small),
		FIXTURE_ON_ALL(queue_save_records_completion_that_waits),
		FIXTURE_ON_ALL(queue_save_refuses_while_replay_is_due),
		FIXTURE_ON_ALL(queue_save_refuses_indices_that_disagree),
		FIXTURE_ON_ALL(queue_restore_goes_on_where_save_left_off),
		FIXTURE_ON_ALL(queue_restore_refuses_corrupted_field),
		FIXTURE_ON_ALL(queue_restore_refuses_bool_neither_0_nor_1),
		FIXTURE_ON_ALL(queue_restore_refuses_ready_queue_without_addresses),
		FIXTURE_ON_ALL(queue_restore_refuses_size_above_storage),
		FIXTURE_ON_ALL(queue_restore_refuses_started_queue),
		cmocka_unit_test(queue_restore_refuses_read_only_memory),
		FIXTURE_ON_ALL(queue_restore_refuses_missing_map),
		cmocka_unit_test(queue_restore_can_be_retried_when_rings_are_mapped),
		FIXTURE_ON_ALL(queue_restore_notifies_once_with_event_idx),
		FIXTURE_ON_ALL(queue_restore_notifies_once_without_event_idx),
		FIXTURE_ON_ALL(queue_restore_finds_what_was_kicked_before),
		FIXTURE_ON_ALL(queue_restore_keeps_sparse_queues_apart),
		FIXTURE_ON_ALL(queue_restore_with_bad_available_index_breaks_at_a_pop),
		FIXTURE_ON_ALL(queue_save_after_restore_keeps_what_was_in_flight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
