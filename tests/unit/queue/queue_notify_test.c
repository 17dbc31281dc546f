/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests interrupts and kicks: when the device must interrupt the driver, and how the device enables
 * kicks.
 */
#include "../common/fixture.h"

#define SIZE 8u

static const struct virtio_mock_buffer one[] = { WRITABLE(FIXTURE_DATA, 16) };

static void setup(struct fixture *f, enum fixture_memory kind, bool event_idx)
{
	fixture_init(f, kind, SIZE);
	f->config.event_idx = event_idx;
	fixture_start(f);
}

/* Adds, pops and completes `count` requests. */
static void complete_some(struct fixture *f, uint32_t count)
{
	struct vring_used_elem used;
	struct virtio_token token;

	while (count-- > 0) {
		fixture_pop_some(f, &token, 1);
		assert_int_equal(virtio_queue_complete(&f->queue, token, 0), 0);
		assert_int_equal(virtio_mock_pop_used(&f->mock, &used), 1);
	}
}

static void seek(struct fixture *f, uint16_t index)
{
	assert_int_equal(virtio_mock_seek(&f->mock, index), 0);
	assert_int_equal(virtio_queue_set_next_avail(&f->queue, index), 0);
	assert_int_equal(virtio_queue_set_next_used(&f->queue, index), 0);
}

/*
 * The rule of virtio 1.4, 2.7.7.2. The device writes `count` used elements, the first at index
 * `before`. The device interrupts if used_event is the index of one of these elements.
 */
static bool oracle(uint16_t used_event, uint16_t before, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if ((uint16_t)(before + i) == used_event)
			return true;
	return false;
}

/* Interrupts, without EVENT_IDX */

/*
 * Hostile 68: the device obeys NO_INTERRUPT, and ignores the other bits of the flags. Hostile 67:
 * the device ignores used_event.
 */
static void queue_needs_interrupt_obeys_flag_without_event_idx(void **state)
{
	static const struct {
		uint16_t flags;
		bool wanted;
	} cases[] = { { 0, true }, { 1, false }, { 2, true }, { 3, false }, { 0xfffe, true }, { 0xffff, false } };
	struct virtio_queue_stats stats;
	struct fixture f;

	setup(&f, fixture_kind(state), false);
	for (uint32_t i = 0; i < COUNT(cases); i++)
		for (uint32_t event = 0; event < 0x10000; event += 0x1fff) {
			fixture_set(&f, VIRTIO_MOCK_AVAIL_FLAGS, cases[i].flags);
			fixture_set(&f, VIRTIO_MOCK_USED_EVENT, (uint16_t)event);
			assert_false(virtio_queue_needs_interrupt(&f.queue));
			complete_some(&f, 1);
			assert_int_equal(virtio_queue_needs_interrupt(&f.queue), cases[i].wanted);
			/*
			 * No request was completed since the last check, so there is no second
			 * interrupt.
			 */
			assert_false(virtio_queue_needs_interrupt(&f.queue));
		}
	virtio_queue_get_stats(&f.queue, &stats);
	assert_int_equal(stats.interrupts, 3 * 9);
}

/* Interrupts, with EVENT_IDX */

/*
 * Hostile 66, regression R5: every used_event is tried, with several counts of completions and
 * several start indices, also across the wrap. NO_INTERRUPT is set, and must be ignored.
 */
static void queue_needs_interrupt_is_exact_for_every_used_event(void **state)
{
	static const uint32_t counts[] = { 1, 2, 3, 8, 255 };
	static const uint16_t starts[] = { 0, 1, 0x7fff, 0x8000, 0xfffe, 0xffff };
	struct fixture f;

	setup(&f, fixture_kind(state), true);
	fixture_set(&f, VIRTIO_MOCK_AVAIL_FLAGS, VRING_AVAIL_F_NO_INTERRUPT);
	for (uint32_t s = 0; s < COUNT(starts); s++)
		for (uint32_t c = 0; c < COUNT(counts); c++) {
			struct virtio_queue at_rest;

			seek(&f, starts[s]);
			/*
			 * The first check after seek() always requires an interrupt, so this check
			 * is made before the test.
			 */
			(void)virtio_queue_needs_interrupt(&f.queue);
			complete_some(&f, counts[c]);
			at_rest = f.queue;
			for (uint32_t event = 0; event <= UINT16_MAX; event++) {
				f.queue = at_rest;
				fixture_set(&f, VIRTIO_MOCK_USED_EVENT, (uint16_t)event);
				assert_int_equal(virtio_queue_needs_interrupt(&f.queue),
						 oracle((uint16_t)event, starts[s], counts[c]));
				assert_false(virtio_queue_needs_interrupt(&f.queue));
			}
		}
}

/* Each check covers only the completions since the last check. */
static void queue_needs_interrupt_counts_from_last_check(void **state)
{
	struct fixture f;

	setup(&f, fixture_kind(state), true);
	seek(&f, 0xfff0);
	fixture_set(&f, VIRTIO_MOCK_USED_EVENT, 0x10);
	(void)virtio_queue_needs_interrupt(&f.queue);
	for (uint32_t i = 0; i < 64; i++) {
		const uint16_t before = (uint16_t)(0xfff0 + i);

		complete_some(&f, 1);
		assert_int_equal(virtio_queue_needs_interrupt(&f.queue), before == 0x10);
	}
}

/*
 * Hostile 72: 65,536 or more completions between two checks cover every used_event. 65,535
 * completions leave out one value.
 */
static void queue_needs_interrupt_after_65536_completions(void **state)
{
	static const uint32_t counts[] = { 65535, 65536, 65537, 131072 + 5 };

	for (uint32_t c = 0; c < COUNT(counts); c++) {
		struct virtio_queue at_rest;
		uint32_t silent = 0;
		struct fixture f;

		setup(&f, fixture_kind(state), true);
		complete_some(&f, 3);
		fixture_set(&f, VIRTIO_MOCK_USED_EVENT, 2);
		assert_true(virtio_queue_needs_interrupt(&f.queue));
		complete_some(&f, counts[c]);
		at_rest = f.queue;
		for (uint32_t event = 0; event <= UINT16_MAX; event += c ? 251 : 1) {
			f.queue = at_rest;
			fixture_set(&f, VIRTIO_MOCK_USED_EVENT, (uint16_t)event);
			if (!virtio_queue_needs_interrupt(&f.queue)) {
				assert_false(oracle((uint16_t)event, 3, counts[c]));
				silent++;
			}
		}
		assert_int_equal(silent, counts[c] < 65536 ? 1 : 0);
	}
}

/* Regressions R18 and R23: the first check after an index was set always requires an interrupt. */
static void queue_needs_interrupt_says_yes_after_indices_were_set(void **state)
{
	for (uint32_t event = 0; event <= UINT16_MAX; event += 0x1111) {
		struct fixture f;

		setup(&f, fixture_kind(state), true);
		fixture_set(&f, VIRTIO_MOCK_USED_EVENT, (uint16_t)event);
		complete_some(&f, 3);
		assert_int_equal(virtio_queue_set_next_used(&f.queue, 3), 0);
		assert_true(virtio_queue_needs_interrupt(&f.queue));
		assert_int_equal(virtio_queue_set_next_avail(&f.queue, 3), 0);
		complete_some(&f, 1);
		assert_true(virtio_queue_needs_interrupt(&f.queue));
	}
}

/* If the driver's setting cannot be read, the device interrupts to be safe. */
static void queue_needs_interrupt_says_yes_when_ring_is_gone(void **state)
{
	static const int errors[] = { VIRTIO_EFAULT, VIRTIO_EPERM, VIRTIO_ENOTMAPPED };

	for (int event_idx = 0; event_idx <= 1; event_idx++)
		for (uint32_t i = 0; i < COUNT(errors); i++) {
			struct fixture f;

			setup(&f, fixture_kind(state), event_idx != 0);
			fixture_set(&f, VIRTIO_MOCK_USED_EVENT, 0x4000);
			fixture_set(&f, VIRTIO_MOCK_AVAIL_FLAGS, VRING_AVAIL_F_NO_INTERRUPT);
			complete_some(&f, 1);
			f.bad_start = f.mock.addr[VIRTIO_QUEUE_AVAIL] & ~UINT64_C(15);
			f.bad_end = f.bad_start + 32;
			f.bad_error = errors[i];
			assert_true(virtio_queue_needs_interrupt(&f.queue));
			assert_int_equal(f.queue.broken, 0);
		}
}

/* Kicks */

/*
 * Hostile 67: without EVENT_IDX the used flags enable kicks. The bytes of avail_event may belong to
 * other memory, so they are never written.
 */
static void queue_kicks_use_flag_without_event_idx(void **state)
{
	struct fixture f;

	setup(&f, fixture_kind(state), false);
	fixture_set(&f, VIRTIO_MOCK_AVAIL_EVENT, 0x5a5a);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(virtio_queue_disable_kicks(&f.queue), 0);
		assert_int_equal(fixture_get(&f, VIRTIO_MOCK_USED_FLAGS), VRING_USED_F_NO_NOTIFY);
		(void)fixture_add(&f, one, 1);
		assert_int_equal(virtio_mock_should_kick(&f.mock), 0);
		assert_int_equal(virtio_queue_enable_kicks(&f.queue), 1);
		assert_int_equal(fixture_get(&f, VIRTIO_MOCK_USED_FLAGS), 0);
		(void)fixture_add(&f, one, 1);
		assert_int_equal(virtio_mock_should_kick(&f.mock), 1);
	}
	complete_some(&f, 1);
	assert_int_equal(fixture_get(&f, VIRTIO_MOCK_AVAIL_EVENT), 0x5a5a);
}

/*
 * With EVENT_IDX avail_event is the index of the entry that causes the next kick. The flags stay 0
 * (virtio 1.4, 2.7.10.2).
 */
static void queue_kicks_use_avail_event_with_event_idx(void **state)
{
	struct virtio_chain chain = { 0 };
	struct fixture f;

	setup(&f, fixture_kind(state), true);
	seek(&f, 0xfffd);
	for (uint32_t i = 0; i < 8; i++) {
		const uint16_t next = (uint16_t)(0xfffd + i);
		struct vring_used_elem used;

		assert_int_equal(virtio_queue_enable_kicks(&f.queue), 0);
		assert_int_equal(fixture_get(&f, VIRTIO_MOCK_AVAIL_EVENT), next);
		assert_int_equal(virtio_queue_disable_kicks(&f.queue), 0);
		assert_int_equal(fixture_get(&f, VIRTIO_MOCK_USED_FLAGS), 0);
		(void)fixture_add(&f, one, 1);
		assert_int_equal(virtio_mock_should_kick(&f.mock), 1);
		/*
		 * Kicks were not enabled again, so the driver does not kick. Hostile 64 covers a
		 * kick without a new buffer.
		 */
		(void)fixture_add(&f, one, 1);
		assert_int_equal(virtio_mock_should_kick(&f.mock), 0);
		for (int n = 0; n < 2; n++) {
			assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
			assert_int_equal(virtio_queue_complete(&f.queue, chain.token, 0), 0);
			assert_int_equal(virtio_mock_pop_used(&f.mock, &used), 1);
		}
		seek(&f, (uint16_t)(next + 1));
	}
}

/*
 * Hostile 69: a buffer arrives between the last pop and the call that enables kicks. The call
 * reports the buffer.
 */
static void queue_enable_kicks_reports_what_came_meanwhile(void **state)
{
	struct virtio_chain chain = { 0 };
	struct fixture f;

	for (int event_idx = 0; event_idx <= 1; event_idx++) {
		setup(&f, fixture_kind(state), event_idx != 0);
		assert_int_equal(virtio_queue_disable_kicks(&f.queue), 0);
		complete_some(&f, 1);
		assert_int_equal(virtio_mock_should_kick(&f.mock), event_idx ? 1 : 0);
		assert_int_equal(virtio_queue_pop(&f.queue, &chain), 0);
		(void)fixture_add(&f, one, 1);
		assert_int_equal(virtio_mock_should_kick(&f.mock), 0);
		assert_int_equal(virtio_queue_enable_kicks(&f.queue), 1);
		assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
		assert_int_equal(virtio_queue_enable_kicks(&f.queue), 0);
		(void)fixture_add(&f, one, 1);
		assert_int_equal(virtio_mock_should_kick(&f.mock), 1);
	}
}

/* Hostile 71: kicks can also be enabled on a queue with buffers that the device keeps for later. */
static void queue_enable_kicks_asks_on_queue_with_buffers_left(void **state)
{
	struct virtio_chain chain = { 0 };
	struct fixture f;

	setup(&f, fixture_kind(state), true);
	for (uint32_t i = 0; i < 3; i++)
		(void)fixture_add(&f, one, 1);
	assert_int_equal(virtio_queue_pop(&f.queue, &chain), 1);
	assert_int_equal(virtio_queue_enable_kicks(&f.queue), 1);
	assert_int_equal(fixture_get(&f, VIRTIO_MOCK_AVAIL_EVENT), 1);
}

/* virtio_queue_enable_kicks() checks the available index as a pop does. */
static void queue_enable_kicks_refuses_incoherent_index(void **state)
{
	struct fixture f;

	setup(&f, fixture_kind(state), true);
	fixture_set(&f, VIRTIO_MOCK_AVAIL_IDX, SIZE + 1);
	assert_int_equal(virtio_queue_enable_kicks(&f.queue), VIRTIO_EAVAILIDX);
	assert_int_equal(virtio_queue_enable_kicks(&f.queue), VIRTIO_EBROKEN);
	assert_int_equal(virtio_queue_disable_kicks(&f.queue), VIRTIO_EBROKEN);
}

/*
 * The used ring can't be written, so the call that enables or disables kicks returns the error.
 * After VIRTIO_ENOTMAPPED the call can be repeated. Any other error breaks the queue.
 */
static void queue_kicks_report_used_ring_that_is_gone(void **state)
{
	static const int errors[] = { VIRTIO_EFAULT, VIRTIO_EPERM, VIRTIO_ENOTMAPPED };

	for (int enable = 0; enable <= 1; enable++)
		for (uint32_t i = 0; i < COUNT(errors); i++) {
			int (*call)(struct virtio_queue *) =
				enable ? virtio_queue_enable_kicks : virtio_queue_disable_kicks;
			struct fixture f;

			setup(&f, fixture_kind(state), false);
			f.bad_start = f.mock.addr[VIRTIO_QUEUE_USED] & ~UINT64_C(15);
			f.bad_end = f.bad_start + 16;
			f.bad_error = errors[i];
			/*
			 * Replaces the cached region that the start left, so the next access needs
			 * a look-up.
			 */
			assert_int_equal(virtio_memory_check(&f.queue.ring_memory, FIXTURE_DATA, 1, VIRTIO_ACCESS_READ),
					 0);
			fixture_save(&f);
			assert_int_equal(call(&f.queue), errors[i]);
			assert_true(fixture_ram_unchanged(&f));
			if (errors[i] == VIRTIO_ENOTMAPPED) {
				assert_true(fixture_unchanged(&f));
				f.bad_error = 0;
				assert_int_equal(call(&f.queue), 0);
			} else {
				assert_int_equal(call(&f.queue), VIRTIO_EBROKEN);
			}
		}
}

/* virtio_queue_enable_kicks() also reads the available index, after it has enabled kicks. */
static void queue_enable_kicks_reports_available_ring_that_is_gone(void **state)
{
	static const int errors[] = { VIRTIO_EFAULT, VIRTIO_EPERM, VIRTIO_ENOTMAPPED };

	for (int event_idx = 0; event_idx <= 1; event_idx++)
		for (uint32_t i = 0; i < COUNT(errors); i++) {
			struct virtio_queue_stats stats;
			struct fixture f;

			setup(&f, fixture_kind(state), event_idx != 0);
			f.bad_start = f.mock.addr[VIRTIO_QUEUE_AVAIL];
			f.bad_end = f.bad_start + 16;
			f.bad_error = errors[i];
			assert_int_equal(f.bad_start % 16, 0);
			assert_int_equal(virtio_queue_disable_kicks(&f.queue), 0);
			fixture_save(&f);
			assert_int_equal(virtio_queue_enable_kicks(&f.queue), errors[i]);
			virtio_queue_get_stats(&f.queue, &stats);
			if (errors[i] == VIRTIO_ENOTMAPPED) {
				assert_int_equal(stats.not_mapped, 1);
				/*
				 * The call has written the field that enables kicks, so memory is
				 * not compared. The queue must be unchanged.
				 */
				memcpy(f.saved_ram, f.ram, sizeof f.ram);
				assert_true(fixture_unchanged(&f));
				f.bad_error = 0;
				assert_int_equal(virtio_queue_enable_kicks(&f.queue), 0);
			} else {
				assert_int_equal(stats.ring_faults, 1);
				assert_int_equal(stats.first_error, errors[i]);
				assert_int_equal(virtio_queue_enable_kicks(&f.queue), VIRTIO_EBROKEN);
			}
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_ON_ALL(queue_needs_interrupt_obeys_flag_without_event_idx),
		FIXTURE_ON(queue_needs_interrupt_is_exact_for_every_used_event, FLAT),
		FIXTURE_ON(queue_needs_interrupt_is_exact_for_every_used_event, ONE_BYTE),
		FIXTURE_ON_ALL(queue_needs_interrupt_counts_from_last_check),
		FIXTURE_ON(queue_needs_interrupt_after_65536_completions, FLAT),
		FIXTURE_ON(queue_needs_interrupt_after_65536_completions, ONE_BYTE),
		FIXTURE_ON_ALL(queue_needs_interrupt_says_yes_after_indices_were_set),
		FIXTURE_ON(queue_needs_interrupt_says_yes_when_ring_is_gone, CHANGING),
		FIXTURE_ON_ALL(queue_kicks_use_flag_without_event_idx),
		FIXTURE_ON_ALL(queue_kicks_use_avail_event_with_event_idx),
		FIXTURE_ON_ALL(queue_enable_kicks_reports_what_came_meanwhile),
		FIXTURE_ON_ALL(queue_enable_kicks_asks_on_queue_with_buffers_left),
		FIXTURE_ON_ALL(queue_enable_kicks_refuses_incoherent_index),
		FIXTURE_ON(queue_kicks_report_used_ring_that_is_gone, CHANGING),
		FIXTURE_ON(queue_enable_kicks_reports_available_ring_that_is_gone, CHANGING),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
