/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The model of a queue: life cycle, pops, completions, notifications, saved state. */
#include "model.h"

#define BIT(error) fuzz_error_bit(VIRTIO_##error)

/*
 * Traps unless the result is one of the errors. If the set of errors is 0, the result must equal
 * `value`.
 */
#define EXPECT(what, got, errors, value)                                                                               \
	FUZZ_CHECK((errors) ? (fuzz_error_bit(got) & (errors)) != 0 : (got) == (int)(value), "%s returned %d", what,   \
		   got)

uint64_t model_area_bytes(const struct virtio_queue_config *config, int area)
{
	/*
	 * virtio 1.4, 2.7: an entry of the descriptor table has 16 bytes, of the available ring 2,
	 * and of the used ring 8. A ring has two fields of 2 bytes before its entries. With
	 * EVENT_IDX a ring has a third field after its entries.
	 */
	static const uint64_t entry[] = { 16, 2, 8 };
	const uint64_t around = area == VIRTIO_QUEUE_DESC ? 0 : config->event_idx ? 6 : 4;

	return around + entry[area] * config->size;
}

static uint64_t avail_field(const struct model *m, uint64_t offset)
{
	return m->config.addr[VIRTIO_QUEUE_AVAIL] + offset;
}

static uint64_t used_field(const struct model *m, uint64_t offset)
{
	return m->config.addr[VIRTIO_QUEUE_USED] + offset;
}

static uint32_t count_state(const struct model *m, enum model_state state)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < MODEL_MAX_SIZE; i++)
		count += m->requests[i].state == state;
	return count;
}

uint32_t model_in_flight(const struct model *m)
{
	return count_state(m, MODEL_FLIGHT);
}

uint32_t model_waiting(const struct model *m)
{
	return count_state(m, MODEL_WAITS);
}

bool model_in_flight_token(const struct model *m, struct virtio_token token)
{
	const struct model_request *r;

	if (!m->started || virtio_token_head(token) >= m->config.size)
		return false;
	r = &m->requests[virtio_token_head(token)];
	return r->state == MODEL_FLIGHT && r->token.value == token.value;
}

/* Faults */

static void first_fault(struct model *m, int error, uint16_t head)
{
	if (m->stats.first_error)
		return;
	m->stats.first_error = error;
	m->stats.first_head = head;
	m->stats.first_position = m->next_avail;
}

static void break_queue(struct model *m, int error, uint16_t head)
{
	m->broken = error;
	m->stats.ring_faults++;
	first_fault(m, error, head);
}

static uint64_t not_running(const struct model *m)
{
	if (!m->started)
		return BIT(ENOTREADY);
	return m->broken ? BIT(EBROKEN) : 0;
}

/*
 * Returns the error with which a pop must fail before it reads the ring, as a set, or 0. The error
 * is EBUSY during a replay if the queue is not broken.
 */
static uint64_t not_popping(const struct model *m)
{
	const uint64_t errors = not_running(m);

	return errors ? errors : m->replay ? BIT(EBUSY) : 0;
}

/* Life cycle */

/* Returns whether a size is a power of two, at most 32768 (virtio 1.4, 2.7). */
static bool size_is_right(uint32_t size)
{
	for (uint32_t power = 1; power <= 32768; power *= 2)
		if (size == power)
			return true;
	return false;
}

static uint64_t area_errors(const struct virtio_queue_config *config, struct shadow_map *map)
{
	static const uint64_t align[] = { 16, 2, 4 };
	uint64_t errors = 0;

	if (!size_is_right(config->max_size) || !size_is_right(config->size) || config->size > config->max_size)
		return BIT(ESIZE);
	for (int area = 0; area < 3; area++) {
		const uint32_t access = area == VIRTIO_QUEUE_USED ? VIRTIO_ACCESS_WRITE : VIRTIO_ACCESS_READ;

		if (config->addr[area] % align[area])
			errors |= BIT(EALIGN);
		errors |= shadow_errors(map, config->addr[area], model_area_bytes(config, area), access);
	}
	return errors;
}

static uint64_t start_errors(const struct model *m, const struct virtio_queue_config *config, struct shadow_map *map)
{
	uint64_t errors;

	if (m->started)
		return BIT(EBUSY);
	errors = area_errors(config, map);
	if (!config->ready)
		errors |= BIT(ENOTREADY);
	if (config->size > m->storage)
		errors |= BIT(EINVAL);
	return errors;
}

static void started(struct model *m, const struct virtio_queue_config *config, struct shadow_map *map)
{
	m->config = *config;
	m->map = map;
	m->started = true;
	m->doubt = false;
	/* The library writes nothing to the ring of a queue that is restored as broken. */
	if (!m->broken)
		shadow_put16(map, used_field(m, 0), 0);
}

void model_start(struct model *m, const struct virtio_queue_config *config, struct shadow_map *map, int got)
{
	const uint64_t errors = start_errors(m, config, map);

	EXPECT("start", got, errors, 0);
	if (!errors)
		started(m, config, map);
}

void model_reset(struct model *m)
{
	const struct virtio_queue_stats stats = m->stats;
	struct model fresh = { .storage = m->storage, .stats = stats, .past_count = m->past_count };

	memcpy(fresh.past, m->past, sizeof fresh.past);
	*m = fresh;
}

void model_init_again(struct model *m)
{
	m->stats = (struct virtio_queue_stats){ .first_head = 0xffff };
	model_reset(m);
}

void model_set_memory(struct model *m, struct shadow_map *map, int got)
{
	const uint64_t errors = m->started ? area_errors(&m->config, map) : BIT(ENOTREADY);

	EXPECT("set_memory", got, errors, 0);
	if (errors)
		return;
	m->map = map;
	for (uint32_t i = 0; i < MODEL_MAX_SIZE; i++)
		m->requests[i].old_map = m->requests[i].state == MODEL_FLIGHT;
}

/* Pops */

/* Reads the available index. Returns 1 if there is a head to pop, 0 if not, or an error. */
static int look(struct model *m)
{
	const uint16_t idx = shadow_get16(m->map, avail_field(m, 2));
	const uint16_t ahead = (uint16_t)(idx - m->next_avail), before = (uint16_t)(m->seen - m->next_avail);

	if (ahead > m->config.size || ahead < before) {
		break_queue(m, VIRTIO_EAVAILIDX, 0xffff);
		return VIRTIO_EAVAILIDX;
	}
	m->seen = idx;
	return ahead != 0;
}

/* Records the token of a pop. Traps if one of the last MODEL_PAST pops had the same token. */
static void new_token(struct model *m, struct virtio_token token, uint16_t head)
{
	FUZZ_CHECK(virtio_token_head(token) == head, "the token has head %u, not %u", virtio_token_head(token), head);
	for (uint32_t i = 0; i < m->past_count && i < MODEL_PAST; i++)
		FUZZ_CHECK(m->past[i].value != token.value, "a token is used again");
	FUZZ_CHECK((token.value >> 16 & 1) != 0, "a token has an even sequence number");
	m->past[m->past_count++ % MODEL_PAST] = token;
}

static struct model_walk walk_of(const struct model *m, uint16_t head)
{
	return (struct model_walk){
		.table = m->config.addr[VIRTIO_QUEUE_DESC],
		.table_len = m->config.size,
		.next = head,
		.left = m->config.size,
		.bytes_left = (uint64_t)1 << 32,
	};
}

static void put_in_flight(struct model *m, uint16_t head, struct model_walk *walk, const struct virtio_chain *chain)
{
	new_token(m, chain->token, head);
	m->requests[head] = (struct model_request){ .state = MODEL_FLIGHT, .token = chain->token, .popped = m->pops++ };
	m->order[m->order_count++] = head;
	m->stats.chains++;
	*walk = walk_of(m, head);
}

/* Finds the next head. Returns 1 if there is a head, 0 if not, or an error. */
static int find_head(struct model *m, uint16_t *head)
{
	/* A pop reads the index again only when all known heads are popped. */
	int found = m->seen == m->next_avail ? look(m) : 1;

	if (found != 1)
		return found;
	*head = shadow_get16(m->map, avail_field(m, 4 + 2 * (uint64_t)(m->next_avail % m->config.size)));
	if (*head >= m->config.size)
		found = VIRTIO_EHEAD;
	else if (m->requests[*head].state != MODEL_IDLE)
		found = VIRTIO_EINFLIGHT;
	if (found < 0)
		break_queue(m, found, *head);
	return found;
}

void model_pop(struct model *m, struct model_walk *walk, int got, const struct virtio_chain *chain)
{
	const uint64_t errors = not_popping(m);
	uint16_t head;
	int found;

	if (errors) {
		EXPECT("pop", got, errors, 0);
		return;
	}
	found = find_head(m, &head);
	FUZZ_CHECK(got == found, "pop returned %d, the model says %d", got, found);
	if (got == 1) {
		put_in_flight(m, head, walk, chain);
		m->next_avail++;
	}
}

uint64_t model_pop_not_mapped(struct model *m)
{
	struct model_walk walk;
	struct model_chain c;
	uint16_t head = 0;

	FUZZ_CHECK(not_popping(m) == 0 && find_head(m, &head) == 1,
		   "a pop returned ENOTMAPPED, but no head is available");
	walk = walk_of(m, head);
	model_expect_resolve(m, &walk, &c);
	model_not_mapped(m, &walk, &c);
	return c.work;
}

void model_available(struct model *m, int got)
{
	const uint64_t errors = not_popping(m);
	int found = errors ? 0 : look(m);

	if (found > 0)
		found = (uint16_t)(m->seen - m->next_avail);
	EXPECT("available", got, errors, found);
}

void model_unpop(struct model *m, struct virtio_token token, int got)
{
	struct model_request *r;
	uint64_t errors = 0;

	if (!model_in_flight_token(m, token)) {
		EXPECT("unpop", got, BIT(ESTALE), 0);
		return;
	}
	r = &m->requests[virtio_token_head(token)];
	if (m->broken)
		errors |= BIT(EBROKEN);
	if (r->popped + 1 != m->pops)
		errors |= BIT(ENOTLAST);
	EXPECT("unpop", got, errors, 0);
	if (errors)
		return;
	if (r->replayed)
		m->replay++;
	else
		m->next_avail--;
	r->state = MODEL_IDLE;
	m->pops--;
	m->order_count--;
	m->stats.chains--;
}

/* Completions */

static void put_used(struct model *m, uint16_t head, uint32_t len)
{
	uint8_t raw[8] = { (uint8_t)head, (uint8_t)(head >> 8) };

	for (uint32_t i = 0; i < 4; i++)
		raw[4 + i] = (uint8_t)(len >> 8 * i);
	shadow_put(m->map, used_field(m, 4 + USED_BYTES * (uint64_t)(m->next_used % m->config.size)), raw, sizeof raw);
	m->next_used++;
	m->added++;
	m->stats.completions++;
	m->requests[head].state = MODEL_IDLE;
}

static void forget_oldest(struct model *m, uint32_t index)
{
	m->order_count--;
	memmove(&m->order[index], &m->order[index + 1], (m->order_count - index) * sizeof m->order[0]);
}

static void put_used_in_order(struct model *m)
{
	while (m->order_count > 0 && m->requests[m->order[0]].state == MODEL_WAITS) {
		put_used(m, m->order[0], m->requests[m->order[0]].len);
		forget_oldest(m, 0);
	}
}

static void complete_one(struct model *m, uint16_t head, uint32_t len)
{
	struct model_request *r = &m->requests[head];

	r->old_map = false;
	if (m->config.in_order) {
		r->state = MODEL_WAITS;
		r->len = len;
		return;
	}
	for (uint32_t i = 0; i < m->order_count; i++)
		if (m->order[i] == head) {
			forget_oldest(m, i);
			break;
		}
	put_used(m, head, len);
}

void model_complete(struct model *m, const struct virtio_completion *list, uint32_t count, int got)
{
	const uint16_t before = m->next_used;
	bool stale = false;

	for (uint32_t i = 0; i < count; i++) {
		stale = stale || !model_in_flight_token(m, list[i].token);
		for (uint32_t j = 0; j < i; j++)
			stale = stale || virtio_token_head(list[i].token) == virtio_token_head(list[j].token);
	}
	EXPECT("complete", got, stale ? BIT(ESTALE) : 0, 0);
	if (stale)
		return;
	for (uint32_t i = 0; i < count; i++)
		complete_one(m, virtio_token_head(list[i].token), list[i].len);
	if (m->config.in_order)
		put_used_in_order(m);
	if (m->next_used != before)
		shadow_put16(m->map, used_field(m, 2), m->next_used);
}

/* Notifications */

void model_needs_interrupt(struct model *m, bool got)
{
	bool yes = false;

	if (m->started && (m->added || m->doubt)) {
		if (m->config.event_idx) {
			const uint16_t event = shadow_get16(m->map, avail_field(m, 4 + 2 * (uint64_t)m->config.size));

			/*
			 * virtio 1.4, 2.7.7.2: an interrupt is needed if one of the added elements
			 * has the index used_event.
			 */
			yes = m->doubt;
			for (uint64_t i = 0; i < m->added; i++)
				yes = yes || (uint16_t)(m->next_used - 1 - i) == event;
		} else {
			yes = !(shadow_get16(m->map, avail_field(m, 0)) & VRING_AVAIL_F_NO_INTERRUPT);
		}
		m->added = 0;
		m->doubt = false;
	}
	FUZZ_CHECK(got == yes, "needs_interrupt returned %d, the model disagrees", got);
	m->stats.interrupts += yes;
}

void model_enable(struct model *m, int got)
{
	const uint64_t errors = not_popping(m);
	int found = 0;

	if (!errors) {
		if (m->config.event_idx)
			shadow_put16(m->map, used_field(m, 4 + USED_BYTES * (uint64_t)m->config.size), m->next_avail);
		else
			shadow_put16(m->map, used_field(m, 0), 0);
		found = look(m);
	}
	EXPECT("enable_kicks", got, errors, found);
}

void model_disable(struct model *m, int got)
{
	const uint64_t errors = not_popping(m);

	EXPECT("disable_kicks", got, errors, 0);
	if (!errors && !m->config.event_idx)
		shadow_put16(m->map, used_field(m, 0), VRING_USED_F_NO_NOTIFY);
}

/* Indices and state */

void model_set_index(struct model *m, bool avail, uint16_t index, int got)
{
	uint64_t errors = 0;

	if (!m->started)
		errors = BIT(ENOTREADY);
	else if (model_in_flight(m) || model_waiting(m))
		errors = BIT(EBUSY);
	EXPECT("set_next", got, errors, 0);
	if (errors)
		return;
	m->doubt = true;
	if (avail) {
		m->next_avail = index;
		m->seen = index;
	} else {
		m->next_used = index;
		m->added = 0;
	}
}

void model_read_idx(struct model *m, bool avail, int got, uint16_t value)
{
	/* An index can be read in a broken queue, too, and before a replay is finished. */
	EXPECT("read_idx", got, m->started ? 0 : BIT(ENOTREADY), 0);
	if (m->started)
		FUZZ_CHECK(value == shadow_get16(m->map, avail ? avail_field(m, 2) : used_field(m, 2)),
			   "read_idx reads %u, which is not in the ring", value);
}

/* Returns whether all members of a state are 0, as for a queue that was not started. */
static bool is_of_nothing(const struct virtio_queue_state *state)
{
	const struct virtio_queue_config *c = &state->config;

	return c->addr[0] == 0 && c->addr[1] == 0 && c->addr[2] == 0 && c->size == 0 && c->max_size == 0 && !c->ready &&
	       !c->event_idx && !c->indirect && !c->in_order && !c->allow_unnegotiated_indirect &&
	       !c->allow_long_indirect && state->next_avail == 0 && state->next_used == 0 && state->broken == 0;
}

static void check_state(const struct model *m, const struct virtio_queue_state *state)
{
	if (!m->started) {
		FUZZ_CHECK(is_of_nothing(state), "the saved state of a queue that is not started is not 0");
		return;
	}
	FUZZ_CHECK(state->next_avail == m->next_avail && state->next_used == m->next_used, "wrong indices are saved");
	FUZZ_CHECK(state->broken == m->broken, "the saved fault is %d, not %d", state->broken, m->broken);
	FUZZ_CHECK(memcmp(state->config.addr, m->config.addr, sizeof m->config.addr) == 0, "wrong addresses are saved");
	FUZZ_CHECK(state->config.size == m->config.size && state->config.max_size == m->config.max_size,
		   "wrong sizes are saved");
	FUZZ_CHECK(state->config.ready && state->config.event_idx == m->config.event_idx &&
			   state->config.indirect == m->config.indirect && state->config.in_order == m->config.in_order,
		   "wrong features are saved");
}

void model_save(const struct model *m, int got, const struct virtio_queue_state *state)
{
	uint64_t errors = 0;

	if (m->started && (model_in_flight(m) || model_waiting(m) || m->replay))
		errors = BIT(EBUSY);
	if (m->started && !errors && m->next_avail != m->next_used)
		errors = BIT(EINVAL);
	EXPECT("save", got, errors, 0);
	if (!errors)
		check_state(m, state);
}

void model_save_in_flight(const struct model *m, uint32_t capacity, int got, const struct virtio_queue_state *state,
			  const struct virtio_queue_flight *record, uint32_t count)
{
	uint64_t errors = 0;

	if (m->started && m->replay)
		errors |= BIT(EBUSY);
	if (m->started && !errors && (uint16_t)(m->next_avail - m->next_used) != m->order_count)
		errors |= BIT(EINVAL);
	if (!errors && m->order_count > capacity)
		errors |= BIT(ENOBUFS);
	EXPECT("save_in_flight", got, errors, 0);
	if (errors)
		return;
	check_state(m, state);
	FUZZ_CHECK(count == m->order_count, "%u requests are saved, not %u", count, m->order_count);
	for (uint32_t i = 0; i < count; i++) {
		const struct model_request *r = &m->requests[m->order[i]];
		const bool waits = r->state == MODEL_WAITS;

		FUZZ_CHECK(record[i].head == m->order[i], "requests are saved in a wrong order");
		FUZZ_CHECK(record[i].completed == waits && record[i].written == (waits ? r->len : 0),
			   "a wrong completion of head %u is saved", record[i].head);
	}
}

/*
 * Returns whether each bool is 0 or 1. Of a restore's checks, only the check for EBUSY comes
 * earlier.
 */
static bool flags_possible(const struct virtio_queue_config *config)
{
	const bool *const flags[] = { &config->ready,
				      &config->event_idx,
				      &config->indirect,
				      &config->in_order,
				      &config->allow_unnegotiated_indirect,
				      &config->allow_long_indirect };
	uint8_t byte;

	for (uint32_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
		memcpy(&byte, flags[i], 1);
		if (byte > 1)
			return false;
	}
	return true;
}

bool model_restore(struct model *m, const struct virtio_queue_state *state, struct shadow_map *map, int got)
{
	const uint16_t ahead = (uint16_t)(state->next_avail - state->next_used);
	const bool possible = flags_possible(&state->config);
	const uint64_t gone = BIT(EFAULT) | BIT(EPERM) | BIT(ENOTMAPPED);
	uint64_t errors = possible ? start_errors(m, &state->config, map) : m->started ? BIT(EBUSY) : BIT(EINVAL);
	uint64_t missing;

	if (!m->started && ahead > state->config.size)
		errors |= BIT(EINVAL);
	if (!m->started && possible && is_of_nothing(state)) {
		EXPECT("restore of nothing", got, 0, 0);
		return true;
	}
	/*
	 * With a translation, a guest can unmap the ring's areas. Then the restore must succeed,
	 * and the queue must be broken. But if ENOTMAPPED is the only error, only a queue that was
	 * saved as broken can be restored.
	 */
	missing = errors & gone;
	if (missing == errors && (state->broken || map->map.translate) && errors != BIT(ENOTMAPPED))
		errors = 0;
	if (state->broken)
		errors &= ~gone;
	EXPECT("restore", got, errors, 0);
	if (errors)
		return true;
	m->broken = state->broken;
	if (missing)
		return false;
	started(m, &state->config, map);
	m->next_avail = state->next_avail;
	m->seen = state->next_avail;
	m->next_used = state->next_used;
	m->replay = ahead;
	m->doubt = true;
	return true;
}

void model_replay(struct model *m, const struct virtio_queue_flight *request, struct model_walk *walk, int got,
		  const struct virtio_chain *chain)
{
	const uint16_t head = request->head;
	uint64_t errors = m->started ? 0 : BIT(ENOTREADY);

	if (!errors && (head >= m->config.size || m->replay == 0 || m->requests[head].state != MODEL_IDLE ||
			(request->completed && !m->config.in_order)))
		errors = BIT(EINVAL);
	EXPECT("replay", got, errors, request->completed ? 0 : 1);
	if (errors)
		return;
	m->replay--;
	if (request->completed) {
		m->requests[head] = (struct model_request){ .state = MODEL_WAITS, .len = request->written };
		m->requests[head].popped = m->pops++;
		m->order[m->order_count++] = head;
		m->stats.chains++;
		return;
	}
	put_in_flight(m, head, walk, chain);
	m->requests[head].replayed = true;
}

void model_compare(const struct model *m, const struct virtio_queue *queue)
{
	struct virtio_queue_stats stats;
	uint32_t old = 0;

	virtio_queue_get_stats(queue, &stats);
	FUZZ_CHECK(stats.chains == m->stats.chains && stats.completions == m->stats.completions,
		   "wrong counters: %llu chains, %llu completions", (unsigned long long)stats.chains,
		   (unsigned long long)stats.completions);
	FUZZ_CHECK(stats.interrupts == m->stats.interrupts && stats.not_mapped == m->stats.not_mapped,
		   "the counter interrupts or not_mapped is wrong");
	FUZZ_CHECK(stats.ring_faults == m->stats.ring_faults && stats.chain_faults == m->stats.chain_faults,
		   "the counter ring_faults or chain_faults is wrong");
	FUZZ_CHECK(stats.first_error == m->stats.first_error && stats.first_head == m->stats.first_head &&
			   stats.first_position == m->stats.first_position,
		   "wrong first fault: %d, head %u, at %u", stats.first_error, stats.first_head, stats.first_position);
	FUZZ_CHECK(virtio_queue_quiesced(queue) == (model_in_flight(m) == 0), "virtio_queue_quiesced() is wrong");
	for (uint32_t i = 0; i < MODEL_MAX_SIZE; i++)
		old += m->requests[i].state == MODEL_FLIGHT && m->requests[i].old_map;
	FUZZ_CHECK(virtio_queue_old_maps_unused(queue) == (old == 0), "virtio_queue_old_maps_unused() is wrong");
	FUZZ_CHECK(virtio_queue_next_avail(queue) == m->next_avail, "wrong next_avail %u",
		   virtio_queue_next_avail(queue));
	FUZZ_CHECK(virtio_queue_next_used(queue) == m->next_used, "wrong next_used %u", virtio_queue_next_used(queue));
}
