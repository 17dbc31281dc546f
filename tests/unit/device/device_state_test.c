/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Saving a device, restoring it into another, and resuming that device. */
#include "device_fixture.h"

/* A device, its saved state, and the target: a device of the same kind with its own memory. */
struct migration {
	struct device_fixture from;
	struct device_fixture to;
	struct virtio_device_state state;
	struct virtio_queue_registers_state queues[DEVICE_QUEUES];
};

static void save(struct migration *m)
{
	memset(&m->state, 0xff, sizeof m->state);
	memset(m->queues, 0xff, sizeof m->queues);
	assert_int_equal(virtio_device_save(&m->from.device, &m->state, m->queues, DEVICE_QUEUES), 0);
}

static int restore(struct migration *m)
{
	return virtio_device_restore(&m->to.device, &m->state, m->queues, DEVICE_QUEUES);
}

/* The states in which the tests save a device */

static void at_zero(struct device_fixture *f)
{
	driver_place(f, 3, 4);
	reg_set(f, REG_SHM_SEL, 7);
	reg_set(f, REG_DEVICE_FEATURES_SEL, 1);
	reg_set(f, REG_DRIVER_FEATURES_SEL, UINT32_MAX);
	virtio_device_config_changed(&f->device);
}

static void at_acknowledge(struct device_fixture *f)
{
	reg_set(f, REG_STATUS, 1);
	virtio_device_config_changed(&f->device);
}

static void at_driver(struct device_fixture *f)
{
	driver_probe(f);
	driver_accept(f, UINT64_MAX);
	reg_set(f, REG_DRIVER_FEATURES_SEL, 4);
	reg_set(f, REG_DRIVER_FEATURES, 1);
	reg_set(f, REG_STATUS, 0xb);
}

static void at_features(struct device_fixture *f)
{
	driver_negotiate(f, F_EVENT_IDX | F_IN_ORDER);
	driver_queue(f, 1, 2);
	driver_place(f, 0, 8);
	virtio_device_config_changed(&f->device);
}

/*
 * Sets up three queues: one with a bad size, one with a bad and a missing address, and one with
 * half of an address.
 */
static void at_features_with_refused_values(struct device_fixture *f)
{
	driver_negotiate(f, 0);
	driver_place(f, 0, 8);
	reg_set(f, REG_QUEUE_SIZE, 3);
	reg_set(f, REG_QUEUE_SEL, 1);
	reg_set64(f, REG_QUEUE_DESC, RAM_START);
	reg_set(f, REG_QUEUE_DESC, 8);
	reg_set64(f, REG_QUEUE_DRIVER, RAM_START);
	reg_set(f, REG_QUEUE_SEL, 3);
	reg_set(f, REG_QUEUE_DEVICE + 4, 1);
}

static void at_features_with_reset_queues(struct device_fixture *f)
{
	driver_negotiate(f, F_RING_RESET);
	driver_queue(f, 0, 16);
	reg_set(f, REG_QUEUE_RESET, 1);
	driver_queue(f, 1, 8);
	reg_set(f, REG_QUEUE_RESET, 1);
	driver_queue(f, 1, 4);
}

static void at_running(struct device_fixture *f)
{
	driver_start(f, F_EVENT_IDX | F_INDIRECT | F_RING_RESET | F_NOTIFICATION_DATA);
	virtio_device_interrupt_used(&f->device, 3);
}

static void at_running_without_queue(struct device_fixture *f)
{
	driver_negotiate(f, 0);
	reg_set(f, REG_STATUS, ST_OK);
	virtio_device_config_changed(&f->device);
}

/* Stops all queues, by QueueReset or QueueReady. An interrupt is pending. */
static void at_stopped(struct device_fixture *f)
{
	driver_start(f, F_RING_RESET | F_EVENT_IDX);
	virtio_device_interrupt_used(&f->device, 0);
	for (uint32_t i = 0; i < DEVICE_QUEUES; i++) {
		reg_set(f, REG_QUEUE_SEL, i);
		reg_set(f, i % 2 ? REG_QUEUE_RESET : REG_QUEUE_READY, i % 2);
	}
	driver_place(f, 3, 2);
}

static void at_reenabled(struct device_fixture *f)
{
	driver_start(f, F_RING_RESET);
	reg_set(f, REG_QUEUE_SEL, 1);
	reg_set(f, REG_QUEUE_RESET, 1);
	driver_queue(f, 1, 4);
}

static void at_failed_activation(struct device_fixture *f)
{
	f->answer[OP_ACTIVATE] = VIRTIO_EIO;
	driver_negotiate(f, 0);
	driver_queue(f, 0, 16);
	reg_set(f, REG_STATUS, ST_OK);
}

/* The device already needed a reset when the driver set DRIVER_OK. */
static void at_driver_ok_in_vain(struct device_fixture *f)
{
	driver_negotiate(f, 0);
	driver_queue(f, 0, 16);
	virtio_device_set_needs_reset(&f->device);
	reg_set(f, REG_STATUS, 0x0f);
	assert_int_equal(reg_get(f, REG_STATUS), 0x4f);
}

static void at_failed_reset(struct device_fixture *f)
{
	f->answer[OP_RESET] = VIRTIO_EIO;
	reg_set(f, REG_STATUS, 0);
	virtio_device_config_changed(&f->device);
}

static void at_needs_reset(struct device_fixture *f)
{
	driver_start(f, 0);
	virtio_device_interrupt_used(&f->device, 3);
	virtio_device_set_needs_reset(&f->device);
	reg_set(f, REG_INTERRUPT_ACK, 2);
}

static void at_failed(struct device_fixture *f)
{
	driver_start(f, 0);
	virtio_device_interrupt_used(&f->device, 3);
	reg_set(f, REG_STATUS, 0x8f);
}

static void at_failed_quietly(struct device_fixture *f)
{
	driver_start(f, 0);
	reg_set(f, REG_STATUS, 0x8f);
}

static void at_failed_early(struct device_fixture *f)
{
	reg_set(f, REG_STATUS, 0x80);
}

static void at_failed_with_all_bits(struct device_fixture *f)
{
	at_failed_activation(f);
	reg_set(f, REG_STATUS, 0xcf);
}

static void (*const places[])(struct device_fixture *f) = {
	at_zero,
	at_acknowledge,
	at_driver,
	at_features,
	at_features_with_refused_values,
	at_features_with_reset_queues,
	at_running,
	at_stopped,
	at_reenabled,
	at_failed_reset,
	at_running_without_queue,
	at_failed_activation,
	at_driver_ok_in_vain,
	at_needs_reset,
	at_failed,
	at_failed_early,
	at_failed_quietly,
	at_failed_with_all_bits,
};

/*
 * Checks that the target equals the saved device, except for members that each device has for
 * itself. In the target, a queue that is not enabled has no features.
 */
static void expect_same(struct migration *m)
{
	struct virtio_device to = m->to.device;
	struct virtio_queue_registers queues[DEVICE_QUEUES];

	memcpy(queues, m->from.queues, sizeof queues);
	for (uint32_t i = 0; i < DEVICE_QUEUES; i++) {
		if (!queues[i].config.ready) {
			queues[i].config.event_idx = false;
			queues[i].config.indirect = false;
			queues[i].config.in_order = false;
		}
	}
	to.ops = m->from.device.ops;
	to.context = m->from.device.context;
	to.memory = m->from.device.memory;
	to.queues = m->from.device.queues;
	to.shm = m->from.device.shm;
	assert_true(device_same(&to, m->to.queues, &m->from.device, queues));
}

static void prepare(struct migration *m, void (*place)(struct device_fixture *f))
{
	device_setup(&m->from);
	device_setup(&m->to);
	place(&m->from);
	save(m);
}

static void expect_same_states(const struct virtio_queue_registers_state *a,
			       const struct virtio_queue_registers_state *b)
{
	for (uint32_t i = 0; i < DEVICE_QUEUES; i++) {
		assert_memory_equal(a[i].addr, b[i].addr, sizeof a[i].addr);
		assert_int_equal(a[i].max_size, b[i].max_size);
		assert_int_equal(a[i].size, b[i].size);
		assert_int_equal(a[i].ready, b[i].ready);
		assert_true(a[i].enabling == b[i].enabling && a[i].resetting == b[i].resetting);
		assert_int_equal(a[i].may_reenable, b[i].may_reenable);
		assert_true(a[i].given == b[i].given && a[i].refused == b[i].refused);
	}
}

/*
 * Hostile 77, 240: a device is saved and restored in each state of `places`. The restore calls no
 * operation but the check of features.
 */
static void state_round_trip_from_everywhere(void **state)
{
	struct virtio_queue_registers_state again[DEVICE_QUEUES];
	struct virtio_device_state same;
	struct migration m;

	(void)state;
	for (uint32_t i = 0; i < COUNT(places); i++) {
		prepare(&m, places[i]);
		assert_int_equal(restore(&m), 0);
		expect_same(&m);
		assert_int_equal(m.to.calls[OP_CHECK], (m.state.status & 8) != 0);
		assert_int_equal(m.to.event_count, m.to.calls[OP_CHECK]);
		assert_int_equal(virtio_device_save(&m.to.device, &same, again, DEVICE_QUEUES), 0);
		assert_int_equal(same.status, m.state.status);
		assert_int_equal(same.interrupt_status, m.state.interrupt_status);
		expect_same_states(again, m.queues);
		/* A second restore fails if the first restore left the device in use. */
		device_keep(&m.to);
		assert_int_equal(restore(&m), m.state.status ? VIRTIO_EBUSY : 0);
		assert_true(device_unchanged(&m.to));
		reg_set(&m.to, REG_STATUS, 0);
		assert_true(device_is_fresh(&m.to));
		driver_start(&m.to, 0);
	}
}

static void state_saved_has_what_driver_set_up(void **state)
{
	struct migration m;

	(void)state;
	prepare(&m, at_stopped);
	assert_int_equal(m.state.type, 4);
	assert_int_equal(m.state.status, ST_OK);
	assert_int_equal(m.state.interrupt_status, 1);
	assert_int_equal(m.state.generation, 0);
	assert_int_equal(m.state.accepted[0], (uint32_t)F_EVENT_IDX);
	assert_int_equal(m.state.accepted[1], 0x101);
	assert_int_equal(m.state.num_queues, DEVICE_QUEUES);
	assert_int_equal(m.state.queue_sel, 3);
	assert_true(m.state.active);
	assert_int_equal(m.queues[0].size, 16);
	assert_int_equal(m.queues[0].addr[2], driver_area(0, VIRTIO_QUEUE_USED));
	assert_false(m.queues[0].ready || m.queues[0].may_reenable);
	assert_int_equal(m.queues[DEVICE_ABSENT].max_size, 0);
	assert_int_equal(m.queues[DEVICE_ABSENT].size, 0);
	assert_int_equal(m.queues[3].size, 2);
	assert_true(m.queues[3].may_reenable && !m.queues[3].ready);
}

static void state_save_is_refused_while_something_is_in_progress(void **state)
{
	struct migration m;
	unsigned char before[sizeof m.state + sizeof m.queues];

	(void)state;
	prepare(&m, at_running);
	memset(&m.state, 0x5a, sizeof m.state);
	memset(m.queues, 0x5a, sizeof m.queues);
	memset(before, 0x5a, sizeof before);
	for (uint32_t entries = 0; entries < DEVICE_QUEUES; entries++)
		assert_int_equal(virtio_device_save(&m.from.device, &m.state, m.queues, entries), VIRTIO_ENOBUFS);
	reg_set(&m.from, REG_QUEUE_SEL, 3);
	m.from.answer[OP_STOP] = VIRTIO_DEVICE_IN_PROGRESS;
	assert_int_equal(reg_write(&m.from, REG_QUEUE_READY, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(virtio_device_save(&m.from.device, &m.state, m.queues, DEVICE_QUEUES), VIRTIO_EBUSY);
	assert_int_equal(virtio_device_queue_stopped(&m.from.device, 3, 0), 0);
	m.from.answer[OP_RESET] = VIRTIO_DEVICE_IN_PROGRESS;
	assert_int_equal(reg_write(&m.from, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(virtio_device_save(&m.from.device, &m.state, m.queues, DEVICE_QUEUES), VIRTIO_EBUSY);
	assert_memory_equal(&m.state, before, sizeof m.state);
	assert_memory_equal(m.queues, before, sizeof m.queues);
	assert_int_equal(restore(&m), VIRTIO_EINVAL);
	assert_int_equal(virtio_device_restore(&m.from.device, &m.state, m.queues, DEVICE_QUEUES), VIRTIO_EBUSY);
	assert_int_equal(virtio_device_reset_done(&m.from.device, 0), 0);
	save(&m);
	/* A reset that began when the status was 0 also makes the device busy. */
	assert_int_equal(reg_write(&m.from, REG_STATUS, 0), VIRTIO_DEVICE_IN_PROGRESS);
	assert_int_equal(virtio_device_restore(&m.from.device, &m.state, m.queues, DEVICE_QUEUES), VIRTIO_EBUSY);
	assert_int_equal(virtio_device_reset_done(&m.from.device, 0), 0);
	assert_int_equal(virtio_device_restore(&m.from.device, &m.state, m.queues, DEVICE_QUEUES), 0);
}

/*
 * If a queue couldn't be reset, QueueReset shows 1 until a stop of the queue or a reset of the
 * device succeeds. This holds for the saved device and for the target.
 */
static void state_of_queue_that_could_not_be_reset_is_kept(void **state)
{
	struct migration m;

	(void)state;
	prepare(&m, at_running);
	reg_set(&m.from, REG_QUEUE_SEL, 3);
	m.from.answer[OP_STOP] = VIRTIO_EIO;
	reg_set(&m.from, REG_QUEUE_READY, 0);
	save(&m);
	assert_true(m.queues[3].ready && !m.queues[3].resetting);
	reg_set(&m.from, REG_QUEUE_RESET, 1);
	save(&m);
	assert_true(m.queues[3].ready && m.queues[3].resetting);
	assert_int_equal(restore(&m), 0);
	assert_int_equal(reg_get(&m.to, REG_QUEUE_RESET), 1);
	assert_int_equal(reg_get(&m.to, REG_QUEUE_READY), 1);
	reg_set(&m.to, REG_STATUS, 0);
	reg_set(&m.to, REG_QUEUE_SEL, 3);
	assert_int_equal(reg_get(&m.to, REG_QUEUE_RESET), 0);
}

/* Restores a bad state into a device on which a driver had already begun. Nothing must change. */
static void expect_refused(struct migration *m, int error)
{
	reg_set(&m->to, REG_QUEUE_SEL, 1);
	reg_set(&m->to, REG_QUEUE_SIZE, 2);
	reg_set(&m->to, REG_SHM_SEL, 5);
	device_keep(&m->to);
	assert_int_equal(restore(m), error);
	/*
	 * The device may act on the features during its check of the features. So the restore calls
	 * the check only if everything else is right.
	 */
	m->to.kept_calls[OP_CHECK] += error == VIRTIO_ENOTSUP;
	assert_true(device_unchanged(&m->to));
}

static void state_of_another_device_is_refused(void **state)
{
	struct migration m;

	(void)state;
	prepare(&m, at_running);
	m.state.type++;
	expect_refused(&m, VIRTIO_EINVAL);
	prepare(&m, at_running);
	m.state.num_queues--;
	expect_refused(&m, VIRTIO_EINVAL);
	m.state.num_queues += 2;
	expect_refused(&m, VIRTIO_EINVAL);
	prepare(&m, at_running);
	assert_int_equal(virtio_device_restore(&m.to.device, &m.state, m.queues, DEVICE_QUEUES - 1), VIRTIO_EINVAL);
	assert_int_equal(virtio_device_restore(&m.to.device, &m.state, m.queues, 0), VIRTIO_EINVAL);
	assert_true(device_is_fresh(&m.to));
	assert_int_equal(restore(&m), 0);
}

/* Hostile 77: every status is tried, with and without an active device. */
static void state_with_impossible_status_is_refused(void **state)
{
	struct migration m;

	(void)state;
	device_setup(&m.from);
	save(&m);
	for (uint32_t status = 0; status < 0x400; status++) {
		for (uint32_t active = 0; active < 2; active++) {
			const uint32_t base = status & 0x3f;
			const bool known =
				status < 0x100 && (base == 0 || base == 1 || base == 3 || base == 0xb || base == 0xf);
			const bool ok = active ? base == 0xf : base != 0xf || (status & 0x40);

			device_setup(&m.to);
			m.state.status = status;
			m.state.active = active;
			m.state.accepted[1] = status & 2 ? 1 : 0;
			if (known && ok)
				assert_int_equal(restore(&m), 0);
			else
				expect_refused(&m, VIRTIO_EINVAL);
		}
	}
}

static void state_with_impossible_interrupts_is_refused(void **state)
{
	static const uint32_t interrupts[] = { 0, 1, 2, 3, 4, 7, 8, 0x100, 0x101, 0x80000000, 0x01000000, UINT32_MAX };
	static const uint32_t statuses[] = { 0, 1, 0xb, 0xf };
	struct migration m;

	(void)state;
	device_setup(&m.from);
	save(&m);
	for (uint32_t s = 0; s < COUNT(statuses); s++) {
		for (uint32_t i = 0; i < COUNT(interrupts); i++) {
			const uint32_t most = statuses[s] == 0xf ? 3 : statuses[s] == 0 ? 0 : 2;

			device_setup(&m.to);
			m.state.status = statuses[s];
			m.state.active = statuses[s] == 0xf;
			m.state.accepted[1] = statuses[s] & 2 ? 1 : 0;
			m.state.interrupt_status = interrupts[i];
			if ((interrupts[i] & ~most) == 0)
				assert_int_equal(restore(&m), 0);
			else
				expect_refused(&m, VIRTIO_EINVAL);
		}
	}
}

static void state_with_impossible_features_is_refused(void **state)
{
	struct migration m;

	(void)state;
	/* Negotiated features must be offered, include VERSION_1, and suit the device. */
	for (uint32_t bit = 0; bit < 128; bit++) {
		prepare(&m, at_features);
		m.state.accepted[bit / 32] ^= 1u << bit % 32;
		if (bit == 32 || (virtio_device_offered_features(&m.to.device, bit / 32) & 1u << bit % 32) == 0)
			expect_refused(&m, VIRTIO_EINVAL);
		else
			assert_int_equal(restore(&m), 0);
	}
	prepare(&m, at_features);
	m.state.accepted_beyond = true;
	expect_refused(&m, VIRTIO_EINVAL);
	prepare(&m, at_features);
	m.to.answer[OP_CHECK] = VIRTIO_EIO;
	expect_refused(&m, VIRTIO_ENOTSUP);
	/* Before DRIVER no feature can be accepted. */
	for (uint32_t word = 0; word < VIRTIO_FEATURE_WORDS; word++) {
		prepare(&m, at_acknowledge);
		m.state.accepted[word] = 1;
		expect_refused(&m, VIRTIO_EINVAL);
	}
	prepare(&m, at_zero);
	m.state.accepted_beyond = true;
	expect_refused(&m, VIRTIO_EINVAL);
}

/* The registers of a queue with a maximum size of 16. */
#define QUEUE(desc_, avail_, used_, size_, ready_, again_, given_, refused_)                                           \
	{                                                                                                              \
		.addr = { desc_, avail_, used_ }, .max_size = 16, .size = size_, .ready = ready_,                      \
		.may_reenable = again_, .given = given_, .refused = refused_                                           \
	}

/* Hostile 73, 74; regression R16: a queue in a state that no driver can reach is refused. */
static void state_with_impossible_queue_is_refused(void **state)
{
	static const struct {
		void (*place)(struct device_fixture *f);
		int error;
		uint32_t queue;
		struct virtio_queue_registers_state with;
	} bad[] = {
		/* Another maximum size, or a queue that only the device or only the state has. */
		{ at_features, VIRTIO_EINVAL, 0, { .max_size = 8, .size = 8 } },
		{ at_features, VIRTIO_EINVAL, 0, { .max_size = 0 } },
		{ at_features, VIRTIO_EINVAL, DEVICE_ABSENT, { .max_size = 8, .size = 8 } },
		{ at_features, VIRTIO_EINVAL, DEVICE_ABSENT, { .size = 1 } },
		{ at_features, VIRTIO_EINVAL, DEVICE_ABSENT, { .addr = { 16 } } },
		{ at_features, VIRTIO_EINVAL, DEVICE_ABSENT, { .addr = { 0, 16 } } },
		{ at_features, VIRTIO_EINVAL, DEVICE_ABSENT, { .addr = { 0, 0, 16 } } },
		{ at_features, VIRTIO_EINVAL, DEVICE_ABSENT, { .ready = true } },
		{ at_features, VIRTIO_EINVAL, DEVICE_ABSENT, { .given = 1 } },
		{ at_features, VIRTIO_EINVAL, DEVICE_ABSENT, { .refused = 8 } },
		{ at_running, VIRTIO_EINVAL, DEVICE_ABSENT, { .may_reenable = true } },
		/* Sizes and addresses that no register accepts. */
		{ at_features, VIRTIO_ESIZE, 0, { .max_size = 16, .size = 0 } },
		{ at_features, VIRTIO_ESIZE, 0, { .max_size = 16, .size = 15 } },
		{ at_features, VIRTIO_ESIZE, 0, { .max_size = 16, .size = 32 } },
		{ at_features, VIRTIO_ESIZE, 3, { .max_size = 32, .size = 65535 } },
		{ at_features, VIRTIO_EALIGN, 0, QUEUE(8, 0, 0, 16, false, false, 7, 0) },
		{ at_features, VIRTIO_EALIGN, 0, QUEUE(0, 0, 2, 16, false, false, 7, 0) },
		/* Unknown areas and values, or areas both given and refused. */
		{ at_features, VIRTIO_EINVAL, 0, QUEUE(0, 0, 0, 16, false, false, 8, 0) },
		{ at_features, VIRTIO_EINVAL, 0, QUEUE(0, 0, 0, 16, false, false, 0x80, 0) },
		{ at_features, VIRTIO_EINVAL, 0, QUEUE(0, 0, 0, 16, false, false, 0, 16) },
		{ at_features, VIRTIO_EINVAL, 0, QUEUE(0, 0, 0, 16, false, false, 7, 1) },
		{ at_features, VIRTIO_EINVAL, 0, QUEUE(0, 0, 0, 16, false, false, 4, 4) },
		/*
		 * An address whose low half is not 0, although the driver never wrote the low half.
		 */
		{ at_features, VIRTIO_EINVAL, 0, QUEUE(16, 0, 0, 16, false, false, 6, 0) },
		{ at_features, VIRTIO_EINVAL, 0, QUEUE(0, 2, 0, 16, false, false, 0, 8) },
		{ at_features, VIRTIO_EINVAL, 0, QUEUE(0, 0, 0x100000004, 16, false, false, 3, 0) },
		/* Enabled without an area, or after a value was refused. */
		{ at_features, VIRTIO_EINVAL, 0, QUEUE(0, 0, 0, 16, true, false, 0, 0) },
		{ at_features, VIRTIO_EINVAL, 0, QUEUE(0, 0, 0, 16, true, false, 6, 0) },
		{ at_features, VIRTIO_EINVAL, 0, QUEUE(0, 0, 0, 16, true, false, 3, 4) },
		{ at_features, VIRTIO_EINVAL, 0, QUEUE(0, 0, 0, 16, true, false, 7, 8) },
		/*
		 * Enabled, but an area is not in memory, or the used ring is in read-only memory.
		 */
		{ at_features, VIRTIO_EFAULT, 0, QUEUE(0x8000, 0, 0, 16, true, false, 7, 0) },
		{ at_features, VIRTIO_EFAULT, 0, QUEUE(0, RAM_END - 4, 0, 16, true, false, 7, 0) },
		{ at_features, VIRTIO_EFAULT, 0, QUEUE(0, 0, UINT64_MAX - 3, 16, true, false, 7, 0) },
		{ at_features, VIRTIO_EPERM, 0, QUEUE(0, 0, ROM_START, 16, true, false, 7, 0) },
		/* The event field is not in memory, although EVENT_IDX was negotiated. */
		{ at_features, VIRTIO_EFAULT, 0, QUEUE(0, RAM_END - 36, 0, 16, true, false, 7, 0) },
		/* Enabled too early, or enabled and reset at the same time. */
		{ at_zero, VIRTIO_EINVAL, 0, QUEUE(0, 0, 0, 16, true, false, 7, 0) },
		{ at_driver, VIRTIO_EINVAL, 0, QUEUE(0, 0, 0, 16, true, false, 7, 0) },
		{ at_running, VIRTIO_EINVAL, 0, QUEUE(0, 0, 0, 16, true, true, 7, 0) },
		/* Reset without the feature, or while the device is not active. */
		{ at_running_without_queue, VIRTIO_EINVAL, 0, QUEUE(0, 0, 0, 16, false, true, 7, 0) },
		{ at_features_with_reset_queues, VIRTIO_EINVAL, 0, QUEUE(0, 0, 0, 16, false, true, 7, 0) },
		{ at_driver, VIRTIO_EINVAL, 0, QUEUE(0, 0, 0, 16, false, true, 7, 0) },
	};
	struct migration m;

	(void)state;
	for (uint32_t i = 0; i < COUNT(bad); i++) {
		prepare(&m, bad[i].place);
		m.queues[bad[i].queue] = bad[i].with;
		expect_refused(&m, bad[i].error);
	}
	prepare(&m, at_running);
	m.queues[0] = (struct virtio_queue_registers_state)QUEUE(0, 0, 0, 16, false, true, 7, 0);
	assert_int_equal(restore(&m), 0);
	/* Other legal states: only high halves were written, or every value was refused. */
	prepare(&m, at_features);
	m.queues[0] = (struct virtio_queue_registers_state)QUEUE(1ull << 32, 1ull << 63, 0, 16, false, false, 0, 0);
	assert_int_equal(restore(&m), 0);
	prepare(&m, at_features);
	m.queues[0] = (struct virtio_queue_registers_state)QUEUE(16, 0, 4, 2, false, false, 0, 15);
	assert_int_equal(restore(&m), 0);
}

/* A queue waits for a translation, or its reset has failed, in states that rule this out. */
static void state_with_impossible_wait_is_refused(void **state)
{
	static const struct {
		void (*place)(struct device_fixture *f);
		int error;
		uint32_t queue;
		struct virtio_queue_registers_state with;
	} bad[] = {
		{ at_driver, VIRTIO_EINVAL, 0, { { 0 }, 16, 16, false, false, true, false, 7, 0 } },
		{ at_features, VIRTIO_EINVAL, 0, { { 0 }, 16, 16, false, false, true, false, 6, 0 } },
		{ at_features, VIRTIO_EINVAL, 0, { { 0 }, 16, 16, true, false, true, false, 7, 0 } },
		{ at_running, VIRTIO_EINVAL, 0, { { 0 }, 16, 16, false, false, true, false, 7, 0 } },
		{ at_features, VIRTIO_EINVAL, DEVICE_ABSENT, { .resetting = true } },
		{ at_running, VIRTIO_EINVAL, 0, { { 0 }, 16, 16, true, false, false, true, 7, 0 } },
		{ at_features, VIRTIO_EINVAL, 0, { { 0 }, 16, 16, false, false, false, true, 7, 0 } },
	};
	struct migration m;

	(void)state;
	for (uint32_t i = 0; i < COUNT(bad); i++) {
		prepare(&m, bad[i].place);
		m.queues[bad[i].queue] = bad[i].with;
		expect_refused(&m, bad[i].error);
	}
}

/* A file may have any value in the byte of a bool. Loading a value above 1 is undefined in C. */
static void state_with_bool_neither_0_nor_1_is_refused(void **state)
{
	static const size_t bools[] = {
		offsetof(struct migration, state.accepted_beyond),
		offsetof(struct migration, state.active),
		offsetof(struct migration, queues[0].ready),
		offsetof(struct migration, queues[0].may_reenable),
		offsetof(struct migration, queues[0].enabling),
		offsetof(struct migration, queues[0].resetting),
		offsetof(struct migration, queues[DEVICE_ABSENT].ready),
		offsetof(struct migration, queues[DEVICE_ABSENT].may_reenable),
		offsetof(struct migration, queues[DEVICE_QUEUES - 1].ready),
		offsetof(struct migration, queues[DEVICE_QUEUES - 1].may_reenable),
	};
	struct migration m;

	(void)state;
	for (uint32_t i = 0; i < COUNT(bools); i++) {
		for (int byte = 2; byte <= 0xff; byte++) {
			prepare(&m, at_running);
			memset((uint8_t *)&m + bools[i], byte, 1);
			expect_refused(&m, VIRTIO_EINVAL);
		}
	}
}

/* A queue that is ready needs memory. Without a ready queue the restore needs no memory. */
static void state_without_memory_is_refused_if_queue_is_ready(void **state)
{
	struct migration m;

	(void)state;
	prepare(&m, at_running);
	virtio_device_set_memory(&m.to.device, NULL);
	expect_refused(&m, VIRTIO_EFAULT);
	prepare(&m, at_stopped);
	virtio_device_set_memory(&m.to.device, NULL);
	assert_int_equal(restore(&m), 0);
}

/* A restore keeps the record of values that were refused or missing at the save. */
static void state_restored_queue_is_not_enabled_with_refused_or_missing_value(void **state)
{
	struct migration m;

	(void)state;
	prepare(&m, at_features_with_refused_values);
	assert_int_equal(restore(&m), 0);
	assert_false(driver_enable(&m.to, 0));
	assert_int_equal(m.to.device.first_error, VIRTIO_ESIZE);
	reg_set(&m.to, REG_QUEUE_SIZE, 4);
	assert_true(driver_enable(&m.to, 0));
	m.to.device.first_error = 0;
	assert_false(driver_enable(&m.to, 1));
	assert_int_equal(m.to.device.first_error, VIRTIO_EALIGN);
	reg_set(&m.to, REG_QUEUE_DESC, RAM_START);
	m.to.device.first_error = 0;
	assert_false(driver_enable(&m.to, 1));
	assert_int_equal(m.to.device.first_error, VIRTIO_ENOTREADY);
	reg_set(&m.to, REG_QUEUE_DEVICE, RAM_START);
	assert_true(driver_enable(&m.to, 1));
	m.to.device.first_error = 0;
	assert_false(driver_enable(&m.to, 3));
	assert_int_equal(m.to.device.first_error, VIRTIO_ENOTREADY);
}

/* A restore clears all set-up of an earlier driver, also values that the saved driver never set. */
static void state_restore_replaces_what_was_set_up(void **state)
{
	struct migration m;

	(void)state;
	prepare(&m, at_features);
	driver_place(&m.to, 0, 1);
	driver_place(&m.to, 3, 1);
	reg_set(&m.to, REG_SHM_SEL, 9);
	assert_int_equal(restore(&m), 0);
	expect_same(&m);
}

/* Resuming */

/*
 * Hostile 78, 79: the device is notified of each running queue. The core calls interrupt() with the
 * index of each of these queues, whether or not an interrupt is pending.
 */
static void state_resume_notifies_and_interrupts_each_running_queue_once(void **state)
{
	struct migration m;

	(void)state;
	for (uint32_t pending = 0; pending < 4; pending++) {
		prepare(&m, at_running);
		reg_set(&m.from, REG_QUEUE_SEL, 0);
		reg_set(&m.from, REG_QUEUE_READY, 0);
		virtio_device_config_changed(&m.from.device);
		reg_set(&m.from, REG_INTERRUPT_ACK, 3 & ~pending);
		save(&m);
		assert_int_equal(m.state.interrupt_status, pending);
		assert_int_equal(restore(&m), 0);
		device_forget(&m.to);
		virtio_device_resume(&m.to.device);
		assert_int_equal(m.to.event_count, 4 + (pending >> 1));
		expect_event(&m.to, 0, OP_NOTIFY, 1, 0);
		expect_event(&m.to, 1, OP_NOTIFY, 3, 0);
		expect_event(&m.to, 2, OP_INTERRUPT, VIRTIO_INTERRUPT_USED, 1);
		expect_event(&m.to, 3, OP_INTERRUPT, VIRTIO_INTERRUPT_USED, 3);
		if (pending & 2)
			expect_event(&m.to, 4, OP_INTERRUPT, VIRTIO_INTERRUPT_CONFIG, VIRTIO_DEVICE_NO_QUEUE);
		assert_int_equal(reg_get(&m.to, REG_INTERRUPT_STATUS), pending | 1);
		reg_set(&m.to, REG_INTERRUPT_ACK, 3);
		assert_false(m.to.line);
	}
}

/* Hostile 78: a resume raises the line if DRIVER_OK is set and the interrupt status is not 0. */
static void state_resume_raises_line_as_it_was(void **state)
{
	struct migration m;

	(void)state;
	for (uint32_t i = 0; i < COUNT(places); i++) {
		prepare(&m, places[i]);
		assert_int_equal(restore(&m), 0);
		assert_false(m.to.line);
		device_forget(&m.to);
		virtio_device_resume(&m.to.device);
		assert_int_equal(m.to.line, (m.state.status & 4) != 0 && reg_get(&m.to, REG_INTERRUPT_STATUS) != 0);
		assert_int_equal(reg_get(&m.to, REG_STATUS), m.state.status);
		if (!m.state.active || (m.state.status & 0xc0)) {
			assert_int_equal(m.to.calls[OP_NOTIFY], 0);
			assert_int_equal(reg_get(&m.to, REG_INTERRUPT_STATUS), m.state.interrupt_status);
		}
		if ((m.state.status & 4) == 0)
			assert_int_equal(m.to.event_count, 0);
		if (m.state.interrupt_status & 2)
			assert_true(m.to.line == ((m.state.status & 4) != 0));
		reg_set(&m.to, REG_INTERRUPT_ACK, 3);
		assert_false(m.to.line);
	}
}

/* A configuration change that awaits DRIVER_OK is signalled at DRIVER_OK after the resume. */
static void state_resume_keeps_config_change_until_driver_ok(void **state)
{
	struct migration m;

	(void)state;
	prepare(&m, at_features);
	assert_int_equal(restore(&m), 0);
	virtio_device_resume(&m.to.device);
	assert_int_equal(m.to.calls[OP_INTERRUPT], 0);
	reg_set(&m.to, REG_STATUS, ST_OK);
	assert_int_equal(m.to.raised, 1);
	assert_int_equal(m.to.calls[OP_ACTIVATE], 1);
	assert_int_equal(m.to.calls[OP_NOTIFY], 1);
}

/* Hostile 241: if the device's own part cannot be restored, the driver gets an interrupt. */
static void state_resume_of_device_that_cannot_go_on_interrupts(void **state)
{
	struct migration m;

	(void)state;
	prepare(&m, at_running);
	reg_set(&m.from, REG_INTERRUPT_ACK, 3);
	save(&m);
	assert_int_equal(restore(&m), 0);
	device_forget(&m.to);
	virtio_device_set_needs_reset(&m.to.device);
	virtio_device_resume(&m.to.device);
	assert_int_equal(reg_get(&m.to, REG_STATUS), ST_OK | 0x40);
	assert_int_equal(reg_get(&m.to, REG_INTERRUPT_STATUS), 2);
	assert_true(m.to.line);
	assert_int_equal(m.to.calls[OP_NOTIFY], 0);
	reg_set(&m.to, REG_STATUS, 0);
	driver_start(&m.to, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_round_trip_from_everywhere),
		cmocka_unit_test(state_saved_has_what_driver_set_up),
		cmocka_unit_test(state_save_is_refused_while_something_is_in_progress),
		cmocka_unit_test(state_of_queue_that_could_not_be_reset_is_kept),
		cmocka_unit_test(state_of_another_device_is_refused),
		cmocka_unit_test(state_with_impossible_status_is_refused),
		cmocka_unit_test(state_with_impossible_interrupts_is_refused),
		cmocka_unit_test(state_with_impossible_features_is_refused),
		cmocka_unit_test(state_with_impossible_queue_is_refused),
		cmocka_unit_test(state_with_impossible_wait_is_refused),
		cmocka_unit_test(state_with_bool_neither_0_nor_1_is_refused),
		cmocka_unit_test(state_without_memory_is_refused_if_queue_is_ready),
		cmocka_unit_test(state_restored_queue_is_not_enabled_with_refused_or_missing_value),
		cmocka_unit_test(state_restore_replaces_what_was_set_up),
		cmocka_unit_test(state_resume_notifies_and_interrupts_each_running_queue_once),
		cmocka_unit_test(state_resume_raises_line_as_it_was),
		cmocka_unit_test(state_resume_keeps_config_change_until_driver_ok),
		cmocka_unit_test(state_resume_of_device_that_cannot_go_on_interrupts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
