/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The model's device: status, features, queues, interrupts. The registers are in registers.c. */
#include "model.h"

#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ring.h>

#include "../queue/model.h"

#define BIT(error) fuzz_error_bit(VIRTIO_##error)

#define ACKNOWLEDGE VIRTIO_CONFIG_S_ACKNOWLEDGE
#define DRIVER VIRTIO_CONFIG_S_DRIVER
#define FEATURES_OK VIRTIO_CONFIG_S_FEATURES_OK
#define DRIVER_OK VIRTIO_CONFIG_S_DRIVER_OK
#define NEEDS_RESET VIRTIO_CONFIG_S_NEEDS_RESET
#define FAILED VIRTIO_CONFIG_S_FAILED
#define STUCK (NEEDS_RESET | FAILED)

/* Queries */

bool device_model_has(const struct device_model *m, uint32_t bit)
{
	return (m->status & FEATURES_OK) && bit < 128 && (m->accepted[bit / 32] >> bit % 32 & 1);
}

static struct device_model_queue *find_queue(struct device_model *m, uint32_t index)
{
	return index < m->options.num_queues && m->max_size[index] ? &m->queues[index] : NULL;
}

const struct device_model_queue *device_model_queue(const struct device_model *m, uint32_t index)
{
	return index < m->options.num_queues && m->max_size[index] ? &m->queues[index] : NULL;
}

uint8_t device_model_bits(const bool *flags, uint32_t count)
{
	uint8_t bits = 0;

	for (uint32_t i = 0; i < count; i++)
		bits |= (uint8_t)(flags[i] << i);
	return bits;
}

bool device_model_runs(const struct device_model *m, uint32_t index)
{
	const struct device_model_queue *q = device_model_queue(m, index);

	return q && m->active && q->config.ready;
}

/* The device reads two areas and writes the used ring (virtio 1.4, 2.7). */
uint64_t device_model_queue_errors(const struct device_model *m, const struct virtio_queue_config *config)
{
	static const uint64_t align[] = { 16, 2, 4 };
	uint64_t errors = 0;

	if (!m->map)
		return BIT(EFAULT);
	for (int area = 0; area < 3; area++) {
		const uint32_t access = area == VIRTIO_QUEUE_USED ? VIRTIO_ACCESS_WRITE : VIRTIO_ACCESS_READ;

		if (config->addr[area] % align[area])
			errors |= BIT(EALIGN);
		errors |= shadow_errors(m->map, config->addr[area], model_area_bytes(config, area), access);
	}
	return errors;
}

/* Checks the areas in order, up to the first bad area. */
bool device_model_queue_waits(const struct device_model *m, const struct virtio_queue_config *config)
{
	for (int area = 0; m->map && area < 3; area++) {
		const uint32_t access = area == VIRTIO_QUEUE_USED ? VIRTIO_ACCESS_WRITE : VIRTIO_ACCESS_READ;
		const uint64_t errors =
			shadow_errors(m->map, config->addr[area], model_area_bytes(config, area), access);

		if (errors)
			return errors == BIT(ENOTMAPPED);
	}
	return false;
}

/* Calls */

void device_model_begin(struct device_model *m, bool on_vcpu)
{
	m->call_count = m->calls_seen = 0;
	m->on_vcpu = on_vcpu;
}

uint32_t device_model_stop_number(const struct device_model *m, uint32_t index)
{
	const struct device_model_queue *q = device_model_queue(m, index);

	return q ? (m->resetting ? m->reset_number : q->stop_number) : 0;
}

static struct device_record *add_call(struct device_model *m, enum device_call call, uint16_t queue)
{
	struct device_record *r = &m->calls[m->call_count];

	FUZZ_CHECK(++m->call_count <= DEVICE_CALLS, "the model expects too many calls");
	*r = (struct device_record){ .call = call,
				     .queue = queue,
				     .plan = m->plans[call],
				     .status = m->status,
				     .interrupt_status = m->interrupt_status,
				     .resetting = m->resetting };
	m->plans[call] = (struct device_plan){ .answer = 0 };
	for (uint32_t i = 0; i < DEVICE_QUEUES; i++)
		r->numbers[i] = device_model_stop_number(m, i);
	return r;
}

/* Carries out the planned event, which happens while the operation runs. */
static void perform(struct device_model *m, struct device_record *r)
{
	const bool by_vcpu = r->plan.event == EVENT_ACK || r->plan.event == EVENT_RESET;

	/* Register accesses are serialised, so no second vCPU can access a register now. */
	if ((by_vcpu && m->on_vcpu) || (r->plan.event == EVENT_RESET && m->plans[CALL_RESET].answer == 0))
		r->plan.event = EVENT_NONE;
	switch (r->plan.event) {
	case EVENT_USED:
		device_model_used(m, r->plan.argument);
		break;
	case EVENT_MARK:
		r->event_result = device_model_mark(m, r->plan.argument);
		break;
	case EVENT_NEEDS_RESET:
		device_model_needs_reset(m);
		break;
	case EVENT_CONFIG_CHANGED:
		device_model_config_changed(m);
		break;
	case EVENT_RESET_DONE:
		r->event_result = VIRTIO_EINVAL;
		break;
	case EVENT_ACK:
		m->on_vcpu = true;
		device_model_ack(m, r->plan.argument);
		m->on_vcpu = false;
		break;
	case EVENT_RESET:
		m->on_vcpu = true;
		r->event_result = device_model_write_status(m, 0);
		m->on_vcpu = false;
		break;
	default:
		break;
	}
}

static int call_simple(struct device_model *m, enum device_call call, uint16_t queue)
{
	struct device_record *r = add_call(m, call, queue);

	perform(m, r);
	return r->plan.answer;
}

static void refused(struct device_model *m, uint64_t errors, uint16_t queue)
{
	if (m->first_errors)
		return;
	m->first_errors = errors;
	m->first_queue = queue;
}

/* Interrupts */

static void call_interrupt(struct device_model *m, uint32_t cause, uint16_t queue, bool level)
{
	struct device_record *r = add_call(m, CALL_INTERRUPT, queue);

	r->cause = (enum virtio_interrupt)cause;
	r->level = level;
	if (!r->plan.late)
		m->line = level;
	perform(m, r);
	if (r->plan.late)
		m->line = level;
}

/* Returns whether the line must be high, because a cause is pending and DRIVER_OK is set. */
bool device_model_pending(const struct device_model *m)
{
	return m->interrupt_status && (m->status & DRIVER_OK);
}

/* Expects a call of interrupt(), and more calls until the level agrees with interrupt_status. */
static void signal_driver(struct device_model *m, uint32_t cause, uint16_t queue, bool level)
{
	call_interrupt(m, cause, queue, level);
	while (level != device_model_pending(m)) {
		level = !level;
		call_interrupt(m, level ? (m->interrupt_status & VIRTIO_INTERRUPT_CONFIG ? 2 : 1) : 0,
			       VIRTIO_DEVICE_NO_QUEUE, level);
	}
}

static bool told(const struct device_model *m)
{
	return (m->status & DRIVER_OK) && !m->resetting;
}

void device_model_used(struct device_model *m, uint16_t queue)
{
	if (!told(m))
		return;
	m->interrupt_status |= VIRTIO_INTERRUPT_USED;
	signal_driver(m, VIRTIO_INTERRUPT_USED, queue, true);
}

bool device_model_mark(struct device_model *m, uint32_t cause)
{
	if (!told(m))
		return false;
	m->interrupt_status |= cause & 3;
	m->marked = true;
	return true;
}

static void config_interrupt(struct device_model *m)
{
	m->interrupt_status |= VIRTIO_INTERRUPT_CONFIG;
	if (m->status & DRIVER_OK)
		signal_driver(m, VIRTIO_INTERRUPT_CONFIG, VIRTIO_DEVICE_NO_QUEUE, true);
}

void device_model_config_changed(struct device_model *m)
{
	m->generation++;
	if (m->status && !m->resetting)
		config_interrupt(m);
}

void device_model_needs_reset(struct device_model *m)
{
	if (m->status == 0 || m->resetting || (m->status & NEEDS_RESET))
		return;
	m->status |= NEEDS_RESET;
	if (m->status & DRIVER_OK)
		config_interrupt(m);
}

void device_model_ack(struct device_model *m, uint32_t causes)
{
	const bool before = device_model_pending(m);

	m->interrupt_status &= ~causes;
	if (before && !m->interrupt_status)
		signal_driver(m, VIRTIO_INTERRUPT_NONE, VIRTIO_DEVICE_NO_QUEUE, false);
	if (!m->interrupt_status)
		m->marked = false;
}

uint32_t device_model_take_interrupt(struct device_model *m)
{
	const uint32_t causes = m->interrupt_status;

	device_model_ack(m, causes);
	return causes;
}

/* Reset */

static void default_queue(struct device_model *m, uint32_t index)
{
	struct device_model_queue *q = &m->queues[index];

	memset(q, 0, sizeof *q);
	q->config.max_size = m->max_size[index];
	q->config.size = m->max_size[index];
}

static void finish_reset(struct device_model *m)
{
	const bool up = device_model_pending(m);

	m->status = 0;
	m->interrupt_status = 0;
	memset(m->accepted, 0, sizeof m->accepted);
	m->accepted_beyond = false;
	m->active = false;
	m->resetting = false;
	m->reset_pending = false;
	m->reset_number = 0;
	m->resets++;
	m->device_features_sel = 0;
	m->driver_features_sel = 0;
	m->queue_sel = 0;
	m->shm_sel = 0;
	m->marked = false;
	for (uint32_t i = 0; i < m->options.num_queues; i++)
		default_queue(m, i);
	if (up)
		signal_driver(m, VIRTIO_INTERRUPT_NONE, VIRTIO_DEVICE_NO_QUEUE, false);
}

static void fail_reset(struct device_model *m, int error)
{
	refused(m, fuzz_error_bit(error), VIRTIO_DEVICE_NO_QUEUE);
	m->resetting = false;
	m->reset_pending = false;
	m->reset_number = 0;
	/* A failed reset sets this bit even if the status was 0. */
	m->status |= NEEDS_RESET;
	if (m->status & DRIVER_OK)
		config_interrupt(m);
}

void device_model_end_reset(struct device_model *m, int error)
{
	if (error)
		fail_reset(m, error);
	else
		finish_reset(m);
}

int device_model_ask_reset(struct device_model *m)
{
	const int answer = call_simple(m, CALL_RESET, 0);

	m->reset_pending = answer == VIRTIO_DEVICE_IN_PROGRESS;
	if (!m->reset_pending)
		device_model_end_reset(m, answer);
	return answer;
}

int device_model_reset(struct device_model *m)
{
	if (m->resetting)
		return VIRTIO_DEVICE_IN_PROGRESS;
	for (uint32_t i = 0; i < m->options.num_queues; i++)
		m->queues[i].enabling = false;
	/* The device must not interrupt once a reset has begun (virtio 1.4, 2.4.1). */
	m->resetting = true;
	m->reset_number = ++m->last_number;
	return device_model_ask_reset(m);
}

/* Status */

/* Returns the core's errors for the features, or 0 if the core accepts them. */
uint64_t device_model_feature_errors(const struct device_model *m, const uint32_t accepted[VIRTIO_FEATURE_WORDS],
				     bool beyond)
{
	for (int i = 0; i < VIRTIO_FEATURE_WORDS; i++)
		if (accepted[i] & ~m->options.features[i])
			return BIT(EINVAL);
	if (beyond || !(accepted[1] & 1))
		return BIT(EINVAL);
	return 0;
}

/* Expects a call of check_features() if it exists. Returns the bit of VIRTIO_ENOTSUP, or 0. */
uint64_t device_model_veto(struct device_model *m, const uint32_t accepted[VIRTIO_FEATURE_WORDS])
{
	struct device_record *r;

	if (!m->options.ops->check_features)
		return 0;
	r = add_call(m, CALL_FEATURES, 0);
	memcpy(r->features, accepted, sizeof r->features);
	perform(m, r);
	return r->plan.answer ? BIT(ENOTSUP) : 0;
}

static bool features_acceptable(struct device_model *m)
{
	uint64_t errors = device_model_feature_errors(m, m->accepted, m->accepted_beyond);

	if (!errors)
		errors = device_model_veto(m, m->accepted);
	if (errors)
		refused(m, errors, VIRTIO_DEVICE_NO_QUEUE);
	return !errors;
}

/* Notifies the running queues. After NEEDS_RESET or FAILED the device gets no notification. */
static void notify_all(struct device_model *m)
{
	for (uint32_t i = 0; i < m->options.num_queues; i++)
		if (device_model_runs(m, i) && !(m->status & STUCK))
			call_simple(m, CALL_NOTIFY, (uint16_t)i);
}

static void activate(struct device_model *m)
{
	const bool waiting = m->interrupt_status != 0;
	int answer;

	/* A queue that still waits to be enabled stays disabled. */
	for (uint32_t i = 0; i < m->options.num_queues; i++)
		if (m->queues[i].enabling) {
			m->queues[i].enabling = false;
			m->ignored++;
			refused(m, BIT(ENOTMAPPED), (uint16_t)i);
		}
	m->status |= DRIVER_OK;
	/* If the device needs a reset, it interrupts and is not activated (virtio 1.4, 2.1.2). */
	if (m->status & NEEDS_RESET) {
		config_interrupt(m);
		return;
	}
	/* A device cannot start a queue whose memory has vanished since the queue was enabled. */
	for (uint32_t i = 0; i < m->options.num_queues; i++)
		if (m->queues[i].config.ready && device_model_queue_errors(m, &m->queues[i].config) &&
		    !m->plans[CALL_ACTIVATE].answer)
			m->plans[CALL_ACTIVATE].answer = VIRTIO_EFAULT;
	answer = call_simple(m, CALL_ACTIVATE, 0);
	if (answer) {
		refused(m, fuzz_error_bit(answer), VIRTIO_DEVICE_NO_QUEUE);
		device_model_needs_reset(m);
		return;
	}
	m->active = true;
	notify_all(m);
	if (waiting)
		config_interrupt(m);
}

/* Returns whether each set bit has its prerequisite: the bit that the driver must set first. */
static bool in_sequence(uint32_t status)
{
	return !((status & DRIVER) && !(status & ACKNOWLEDGE)) && !((status & FEATURES_OK) && !(status & DRIVER)) &&
	       !((status & DRIVER_OK) && !(status & FEATURES_OK));
}

/* Handles a driver's progress (virtio 1.4, 2.1). In @value, DEVICE_NEEDS_RESET is clear. */
static void write_progress(struct device_model *m, uint32_t value)
{
	const uint32_t known = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK;
	const uint32_t own = m->status & known, fresh = value & ~m->status;

	if (m->status & FAILED) {
		/* The driver cannot clear FAILED. */
		m->ignored++;
		return;
	}
	if ((own & ~value) || (value & ~known) || !in_sequence(value)) {
		m->ignored++;
		return;
	}
	if ((m->status & NEEDS_RESET) && fresh != 0 && fresh != DRIVER_OK) {
		m->ignored++;
		return;
	}
	m->status |= fresh & (ACKNOWLEDGE | DRIVER);
	if (fresh & FEATURES_OK) {
		/* check_features() may set DEVICE_NEEDS_RESET. */
		if (!features_acceptable(m) || (m->status & STUCK))
			return;
		m->status |= FEATURES_OK;
	}
	if (fresh & DRIVER_OK)
		activate(m);
}

int device_model_write_status(struct device_model *m, uint32_t value)
{
	if (value == 0)
		return device_model_reset(m) == VIRTIO_DEVICE_IN_PROGRESS;
	if (m->resetting) {
		m->ignored++;
	} else if (value & FAILED) {
		m->ignored += (m->status & FAILED) && (value | NEEDS_RESET) != (m->status | NEEDS_RESET);
		m->status |= FAILED;
	} else {
		write_progress(m, value & ~(uint32_t)NEEDS_RESET);
	}
	return 0;
}

void device_model_resume(struct device_model *m)
{
	const uint32_t waiting = m->interrupt_status;
	bool up = false;

	if (m->active && !(m->status & STUCK)) {
		notify_all(m);
		for (uint32_t i = 0; i < m->options.num_queues; i++)
			if (device_model_runs(m, i)) {
				device_model_used(m, (uint16_t)i);
				up = true;
			}
	}
	/* A cause that was pending at the save must raise the line again, even if no queue runs. */
	if ((waiting & VIRTIO_INTERRUPT_CONFIG) && told(m))
		config_interrupt(m);
	else if ((waiting & VIRTIO_INTERRUPT_USED) && !up)
		device_model_used(m, VIRTIO_DEVICE_NO_QUEUE);
	m->marked = false;
}

bool device_model_accept_features(struct device_model *m, uint32_t value)
{
	if (m->resetting || (m->status & STUCK) || (m->status & (DRIVER | FEATURES_OK)) != DRIVER)
		return false;
	if (m->driver_features_sel < 4)
		m->accepted[m->driver_features_sel] = value;
	else if (value)
		m->accepted_beyond = true;
	return true;
}

/* Queues */

/* Returns the selected queue if the driver may set it up now, else NULL. */
static struct device_model_queue *open_queue(struct device_model *m)
{
	struct device_model_queue *q = find_queue(m, m->queue_sel);

	if (!q || q->config.ready || q->enabling || m->resetting)
		return NULL;
	return (m->status & DRIVER_OK) && !q->may_reenable ? NULL : q;
}

bool device_model_set_size(struct device_model *m, uint32_t size)
{
	struct device_model_queue *q = open_queue(m);

	if (!q)
		return false;
	q->refused[3] = size == 0 || size > q->config.max_size || (size & (size - 1));
	if (!q->refused[3])
		q->config.size = (uint16_t)size;
	return !q->refused[3];
}

bool device_model_set_addr(struct device_model *m, int area, bool high, uint32_t value)
{
	static const uint32_t align[] = { 16, 2, 4 };
	struct device_model_queue *q = open_queue(m);

	if (!q)
		return false;
	if (high) {
		q->config.addr[area] = (q->config.addr[area] & 0xffffffff) | (uint64_t)value << 32;
		return true;
	}
	q->refused[area] = value % align[area] != 0;
	q->given[area] = !q->refused[area];
	if (q->given[area])
		q->config.addr[area] = (q->config.addr[area] >> 32 << 32) | value;
	return q->given[area];
}

/* Returns 0, or the first error of these: a refused size, a refused area, an area not set. */
static uint64_t unsaid(const struct device_model_queue *q)
{
	uint64_t errors = 0;

	if (q->refused[3])
		return BIT(ESIZE);
	for (int area = 0; area < 3; area++)
		if (q->refused[area])
			return BIT(EALIGN);
	for (int area = 0; area < 3; area++)
		errors |= q->given[area] ? 0 : BIT(ENOTREADY);
	return errors;
}

/* Leaves a queue disabled. With `waits`, the queue may be enabled once its areas are mapped. */
static int not_enabled(struct device_model *m, uint16_t index, uint64_t errors, bool waits)
{
	struct device_model_queue *q = &m->queues[index];

	q->enabling = waits;
	if (waits)
		return VIRTIO_DEVICE_IN_PROGRESS;
	refused(m, errors, index);
	m->ignored++;
	return 0;
}

static int start_queue(struct device_model *m, uint16_t index, const struct virtio_queue_config *before)
{
	const int answer = call_simple(m, CALL_START, index);
	struct device_model_queue *q = &m->queues[index];

	if (answer) {
		q->config = *before;
		return not_enabled(m, index, fuzz_error_bit(answer), answer == VIRTIO_ENOTMAPPED);
	}
	q->may_reenable = false;
	if (!(m->status & STUCK))
		call_simple(m, CALL_NOTIFY, index);
	return 0;
}

static int try_to_enable(struct device_model *m, uint16_t index)
{
	struct device_model_queue *q = &m->queues[index];
	const struct virtio_queue_config before = q->config;
	struct virtio_queue_config config = before;
	uint64_t errors = unsaid(q);

	q->enabling = false;
	config.event_idx = device_model_has(m, VIRTIO_RING_F_EVENT_IDX);
	config.indirect = device_model_has(m, VIRTIO_RING_F_INDIRECT_DESC);
	config.in_order = device_model_has(m, VIRTIO_F_IN_ORDER);
	if (errors)
		return not_enabled(m, index, errors, false);
	errors = device_model_queue_errors(m, &config);
	if (errors)
		return not_enabled(m, index, errors, device_model_queue_waits(m, &config));
	config.ready = true;
	q->config = config;
	return m->active ? start_queue(m, index, &before) : 0;
}

int device_model_queue_mapped(struct device_model *m, uint16_t queue)
{
	struct device_model_queue *q = find_queue(m, queue);

	if (!q || !q->enabling)
		return VIRTIO_EINVAL;
	if (!(m->status & STUCK))
		return try_to_enable(m, queue);
	q->enabling = false;
	m->ignored++;
	return 0;
}

static int enable(struct device_model *m)
{
	const struct device_model_queue *q = find_queue(m, m->queue_sel);

	if (q && q->enabling)
		return device_model_queue_mapped(m, (uint16_t)m->queue_sel);
	q = open_queue(m);
	if (!q || !(m->status & FEATURES_OK) || (m->status & STUCK) || ((m->status & DRIVER_OK) && !m->active)) {
		m->ignored++;
		return 0;
	}
	return try_to_enable(m, (uint16_t)m->queue_sel);
}

static void stopped(struct device_model *m, uint32_t index)
{
	struct device_model_queue *q = &m->queues[index];
	const bool reset = q->resetting;

	q->stopping = false;
	q->stop_number = 0;
	q->resetting = false;
	q->config.ready = false;
	if (!reset)
		return;
	default_queue(m, index);
	q->may_reenable = m->active;
}

/* The queue keeps running. Its reset stays in progress if the driver requested a reset. */
static void not_stopped(struct device_model *m, uint16_t index, int error)
{
	m->queues[index].stopping = false;
	m->queues[index].stop_number = 0;
	refused(m, fuzz_error_bit(error), index);
	device_model_needs_reset(m);
}

void device_model_end_stop(struct device_model *m, uint16_t index, int error)
{
	if (error)
		not_stopped(m, index, error);
	else
		stopped(m, index);
}

/* Stops the selected queue, which must be ready. */
static int stop(struct device_model *m, struct device_model_queue *q, bool reset)
{
	const uint16_t index = (uint16_t)m->queue_sel;
	int answer;

	/* The stop or reset in progress stops the queue, so this write starts no stop. */
	if (q->stopping || m->resetting) {
		q->resetting = q->resetting || reset;
		return VIRTIO_DEVICE_IN_PROGRESS;
	}
	if (m->active)
		q->stop_number = ++m->last_number;
	answer = m->active ? call_simple(m, CALL_STOP, index) : 0;
	if (answer == VIRTIO_DEVICE_IN_PROGRESS) {
		q->stopping = true;
		q->resetting = q->resetting || reset;
		return answer;
	}
	q->resetting = q->resetting || reset;
	device_model_end_stop(m, index, answer);
	return 0;
}

int device_model_write_ready(struct device_model *m, uint32_t value)
{
	struct device_model_queue *q = find_queue(m, m->queue_sel);

	if (value == 1)
		return enable(m);
	if (value == 0 && q && q->config.ready)
		return stop(m, q, false);
	if (value == 0 && q)
		q->enabling = false;
	m->ignored += value != 0 || !q || m->resetting;
	return 0;
}

int device_model_write_queue_reset(struct device_model *m, uint32_t value)
{
	struct device_model_queue *q = find_queue(m, m->queue_sel);

	if (value != 1 || !q || !device_model_has(m, VIRTIO_F_RING_RESET)) {
		m->ignored++;
		return 0;
	}
	if (q->config.ready)
		return stop(m, q, true);
	if (m->resetting) {
		m->ignored++;
		return 0;
	}
	q->resetting = true;
	stopped(m, m->queue_sel);
	return 0;
}

void device_model_notify(struct device_model *m, uint32_t value)
{
	const bool data = device_model_has(m, VIRTIO_F_NOTIFICATION_DATA);
	const uint32_t index = data ? value & 0xffff : value;
	struct device_record *r;

	if (!device_model_runs(m, index) || m->queues[index].stopping || m->resetting || (m->status & STUCK)) {
		m->ignored++;
		return;
	}
	r = add_call(m, CALL_NOTIFY, (uint16_t)index);
	r->next = data ? (uint16_t)(value >> 16) : 0;
	perform(m, r);
}

/* The configuration space */

void device_model_read_config(struct device_model *m, uint64_t offset, uint8_t *data, uint32_t len)
{
	const uint32_t size = m->options.config_size;
	struct device_record *r;

	memset(data, 0, len);
	if (offset >= size) {
		m->ignored++;
		return;
	}
	if (len == 0)
		return;
	len = len < size - (uint32_t)offset ? len : size - (uint32_t)offset;
	memcpy(data, m->config + offset, len);
	if (!m->options.ops->config_read)
		return;
	r = add_call(m, CALL_CONFIG_READ, 0);
	r->offset = (uint32_t)offset;
	r->len = len;
	memcpy(r->data, data, len);
	perform(m, r);
}

void device_model_write_config(struct device_model *m, uint64_t offset, const uint8_t *data, uint32_t len)
{
	struct device_record *r;

	if (m->resetting || len == 0 || offset > m->options.config_size || len > m->options.config_size - offset ||
	    !m->options.ops->config_write) {
		m->ignored++;
		return;
	}
	r = add_call(m, CALL_CONFIG_WRITE, 0);
	r->offset = (uint32_t)offset;
	r->len = len;
	memcpy(r->data, data, len);
	memcpy(m->config + offset, data, len);
	perform(m, r);
}

/* Life cycle */

void device_model_init(struct device_model *m, const struct virtio_device_options *options, struct shadow_map *map)
{
	m->options = *options;
	/* The core itself adds VIRTIO_F_VERSION_1. */
	m->options.features[1] |= 1;
	m->map = map;
	m->first_queue = VIRTIO_DEVICE_NO_QUEUE;
	for (uint32_t i = 0; i < options->num_queues; i++)
		default_queue(m, i);
}
