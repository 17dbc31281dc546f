/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The model of a disk. */
#include "model.h"

#define BIT(feature) ((uint64_t)1 << VIRTIO_BLK_F_##feature)
#define HEADER_BYTES 16u

/* Sums of two 64-bit numbers do not wrap in this type. */
__extension__ typedef unsigned __int128 wide;

/* Options and features */

static bool is_power_of_two(uint64_t value)
{
	for (uint64_t power = 1; power; power *= 2)
		if (value == power)
			return true;
	return false;
}

/*
 * Returns whether the limits of a command are wrong. Both limits must be set, or both must be 0. On
 * a read-only disk both must be 0.
 */
static bool bad_command(const struct virtio_blk_options *o, uint32_t sectors, uint32_t seg)
{
	if (sectors == 0 && seg == 0)
		return false;
	return sectors == 0 || seg == 0 || o->read_only;
}

/* Returns the name of the first operation that is needed and missing, or NULL. */
static const char *missing_op(const struct virtio_blk_options *o)
{
	static const struct virtio_blk_backend_ops none;
	const struct virtio_blk_backend_ops *ops = o->backend.ops ? o->backend.ops : &none;
	const struct {
		bool needed, there;
		const char *name;
	} all[] = {
		{ true, ops->readv, "readv" },
		{ !o->read_only, ops->writev, "writev" },
		{ o->flush || o->config_wce, ops->flush, "flush" },
		{ o->max_discard_seg, ops->discard, "discard" },
		{ o->max_write_zeroes_seg, ops->write_zeroes, "write_zeroes" },
		{ o->max_secure_erase_seg, ops->secure_erase, "secure_erase" },
	};

	for (size_t i = 0; o->backend.ops && i < sizeof all / sizeof all[0]; i++)
		if (all[i].needed && !all[i].there)
			return all[i].name;
	return NULL;
}

static bool bad_values(const struct virtio_blk_options *o)
{
	if (o->capacity > (uint64_t)1 << 54)
		return true;
	if (o->blk_size && (o->blk_size < 512 || !is_power_of_two(o->blk_size)))
		return true;
	/* The size of a physical block must fit in 32 bits. */
	if (o->physical_block_exp > 31 ||
	    (o->blk_size ? o->blk_size : (uint64_t)512) << o->physical_block_exp > UINT32_MAX)
		return true;
	/* A disk without operations is asynchronous. Only its options say whether it can flush. */
	if (o->backend.ops ? o->backend.max_iovecs == 0 : o->config_wce && !o->flush)
		return true;
	return bad_command(o, o->max_discard_sectors, o->max_discard_seg) ||
	       bad_command(o, o->max_write_zeroes_sectors, o->max_write_zeroes_seg) ||
	       bad_command(o, o->max_secure_erase_sectors, o->max_secure_erase_seg);
}

int blk_model_bad_options(const struct virtio_blk_options *o, const char **missing)
{
	*missing = missing_op(o);
	return bad_values(o) ? VIRTIO_EINVAL : *missing ? VIRTIO_ENOOP : 0;
}

static uint64_t offered(const struct virtio_blk_options *o)
{
	const struct virtio_blk_backend_ops *ops = o->backend.ops;

	return (o->size_max ? BIT(SIZE_MAX) : 0) | (o->seg_max ? BIT(SEG_MAX) : 0) |
	       (o->cylinders ? BIT(GEOMETRY) : 0) | (o->read_only ? BIT(RO) : 0) | (o->blk_size ? BIT(BLK_SIZE) : 0) |
	       (o->flush || (ops && ops->flush) ? BIT(FLUSH) : 0) |
	       (o->physical_block_exp || o->alignment_offset || o->min_io_size || o->opt_io_size ? BIT(TOPOLOGY) : 0) |
	       (o->config_wce ? BIT(CONFIG_WCE) : 0) | (o->num_queues ? BIT(MQ) : 0) |
	       (o->max_discard_seg ? BIT(DISCARD) : 0) | (o->max_write_zeroes_seg ? BIT(WRITE_ZEROES) : 0) |
	       (ops && ops->lifetime ? BIT(LIFETIME) : 0) | (o->max_secure_erase_seg ? BIT(SECURE_ERASE) : 0);
}

void blk_model_init(struct blk_model *m, const struct virtio_blk_options *options)
{
	m->options = *options;
	m->offered = offered(options);
	blk_model_reset(m);
}

void blk_model_reset(struct blk_model *m)
{
	m->negotiated = 0;
	m->writeback = 0;
}

bool blk_model_can_flush(const struct blk_model *m)
{
	return (m->negotiated & BIT(FLUSH)) != 0;
}

bool blk_model_negotiate(struct blk_model *m, uint64_t features)
{
	const uint64_t device = features & 0xffffff;

	if (device & ~m->offered)
		return false;
	if (device == m->negotiated)
		return true;
	m->negotiated = device;
	m->writeback = blk_model_can_flush(m);
	return true;
}

/*
 * Returns whether a driver can set the state's features and writeback. Tries this in a new model.
 */
static bool writeback_reachable(const struct blk_model *m, const struct virtio_blk_state *state)
{
	struct blk_model *other = fuzz_alloc(sizeof *other);
	bool reachable;

	other->offered = m->offered;
	reachable = blk_model_negotiate(other, state->features) &&
		    (other->writeback == state->writeback || blk_model_config_write(other, 32, &state->writeback, 1));
	free(other);
	return reachable;
}

int blk_model_restore(struct blk_model *m, const struct virtio_blk_state *state)
{
	if (state->features > 0xffffff || !writeback_reachable(m, state))
		return VIRTIO_EINVAL;
	if (m->negotiated && m->negotiated != state->features)
		return VIRTIO_EINVAL;
	if (state->capacity > m->options.capacity)
		return VIRTIO_EINVAL;
	m->negotiated = state->features;
	m->writeback = state->writeback;
	return state->capacity == m->options.capacity ? 0 : 1;
}

/* virtio 1.4, 5.2.6.2: a disk that does not offer FLUSH promises no stability. */
bool blk_model_write_through(const struct blk_model *m)
{
	if (!(m->offered & BIT(FLUSH)))
		return false;
	return !blk_model_can_flush(m) || ((m->negotiated & BIT(CONFIG_WCE)) && m->writeback == 0);
}

/* Configuration space */

static void put(uint8_t *at, uint64_t value, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* Puts each field at its offset (virtio 1.4, 5.2.4). */
void blk_model_config(const struct blk_model *m, uint8_t space[VIRTIO_BLK_CONFIG_BYTES])
{
	const struct virtio_blk_options *o = &m->options;

	memset(space, 0, VIRTIO_BLK_CONFIG_BYTES);
	put(space, o->capacity, 8);
	put(space + 8, o->size_max, 4);
	put(space + 12, o->seg_max, 4);
	if (m->offered & BIT(GEOMETRY)) {
		put(space + 16, o->cylinders, 2);
		put(space + 18, o->heads, 1);
		put(space + 19, o->sectors, 1);
	}
	put(space + 20, o->blk_size, 4);
	put(space + 24, o->physical_block_exp, 1);
	put(space + 25, o->alignment_offset, 1);
	put(space + 26, o->min_io_size, 2);
	put(space + 28, o->opt_io_size, 4);
	if (m->offered & BIT(CONFIG_WCE))
		put(space + 32, m->writeback, 1);
	put(space + 34, o->num_queues, 2);
	if (m->offered & BIT(DISCARD)) {
		put(space + 36, o->max_discard_sectors, 4);
		put(space + 40, o->max_discard_seg, 4);
		put(space + 44, o->discard_sector_alignment, 4);
	}
	if (m->offered & BIT(WRITE_ZEROES)) {
		put(space + 48, o->max_write_zeroes_sectors, 4);
		put(space + 52, o->max_write_zeroes_seg, 4);
		put(space + 56, o->write_zeroes_may_unmap, 1);
	}
	if (m->offered & BIT(SECURE_ERASE)) {
		put(space + 60, o->max_secure_erase_sectors, 4);
		put(space + 64, o->max_secure_erase_seg, 4);
		put(space + 68, o->secure_erase_sector_alignment, 4);
	}
}

bool blk_model_config_write(struct blk_model *m, uint64_t offset, const uint8_t *data, size_t len)
{
	uint8_t value;

	if (!(m->negotiated & BIT(CONFIG_WCE)) || offset > 32 || 32 - offset >= len)
		return false;
	value = data[32 - offset];
	if (value > 1 || (value == 1 && !blk_model_can_flush(m)))
		return false;
	m->writeback = value;
	return true;
}

/* Runs: consecutive bytes of a request */

const struct model_piece *blk_find(const struct model_chain *chain, const struct blk_run *run, uint64_t offset,
				   uint64_t *within, uint64_t *len)
{
	uint64_t at = run->start + offset;
	uint32_t i = 0;

	while (at >= chain->pieces[i].len)
		at -= chain->pieces[i++].len;
	*within = chain->pieces[i].offset + at;
	*len = chain->pieces[i].len - at;
	if (*len > run->bytes - offset)
		*len = run->bytes - offset;
	return &chain->pieces[i];
}

void blk_get(const struct shadow_memory *w, const struct model_chain *chain, const struct blk_run *run, uint64_t offset,
	     uint8_t *dst, uint64_t len)
{
	while (len > 0) {
		uint64_t within, here;
		const struct model_piece *p = blk_find(chain, run, offset, &within, &here);

		here = here < len ? here : len;
		memcpy(dst, shadow_shadow(w, &p->region, within), (size_t)here);
		dst += here;
		offset += here;
		len -= here;
	}
}

void blk_put(struct shadow_memory *w, const struct model_chain *chain, const struct blk_run *run, uint64_t offset,
	     const uint8_t *src, uint64_t len)
{
	while (len > 0) {
		uint64_t within, here;
		const struct model_piece *p = blk_find(chain, run, offset, &within, &here);

		here = here < len ? here : len;
		shadow_put_unlogged(w, &p->region, within, src, (size_t)here);
		src += here;
		offset += here;
		len -= here;
	}
}

void blk_mark(struct shadow_memory *w, const struct model_chain *chain, const struct blk_run *run, uint64_t bytes)
{
	for (uint64_t offset = 0; offset < bytes;) {
		uint64_t within, here;
		const struct model_piece *p = blk_find(chain, run, offset, &within, &here);

		here = here < bytes - offset ? here : bytes - offset;
		shadow_mark_region(w, &p->region, within, here);
		offset += here;
	}
}

/* Requests */

static uint64_t number(const uint8_t *at, int bytes)
{
	uint64_t value = 0;

	while (bytes > 0)
		value = value << 8 | at[--bytes];
	return value;
}

static bool on_ranges(uint32_t type)
{
	return type == VIRTIO_BLK_T_DISCARD || type == VIRTIO_BLK_T_WRITE_ZEROES || type == VIRTIO_BLK_T_SECURE_ERASE;
}

static void read_ranges(const struct shadow_memory *w, struct blk_ask *ask)
{
	const uint64_t whole = ask->out.bytes / 16;
	uint8_t raw[16];

	ask->range_count = whole < ask->room ? (uint32_t)whole : ask->room;
	for (uint32_t i = 0; i < ask->range_count; i++) {
		blk_get(w, &ask->chain, &ask->out, 16 * (uint64_t)i, raw, sizeof raw);
		ask->ranges[i].sector = number(raw, 8);
		ask->ranges[i].sectors = (uint32_t)number(raw + 8, 4);
		ask->ranges[i].flags = (uint32_t)number(raw + 12, 4);
	}
}

/* Finds the status byte, which is the last writable byte. Ignores bad buffers before this byte. */
static void find_status(struct model *queue, struct blk_ask *ask)
{
	const struct virtio_desc *end = &ask->chain.end;
	struct shadow_place place;
	uint64_t addr;
	int error;

	/* The end of a malformed chain is unknown. A buffer that wraps around has no last byte. */
	if (ask->chain.shape || end->len == 0 || (wide)end->addr + end->len > (wide)1 << 64)
		return;
	addr = end->addr + (end->len - 1);
	error = shadow_find(queue->map, addr, VIRTIO_ACCESS_WRITE, &place);
	ask->answerable = error == 0;
	ask->waits = error == VIRTIO_ENOTMAPPED;
	if (!error)
		ask->status = (struct model_piece){ addr, 1, *place.region, place.offset };
}

/*
 * Returns the errors that a request may have. Errors of the chain or its buffers hide other errors.
 */
static uint64_t find_errors(const struct blk_ask *ask, uint32_t segments)
{
	const struct model_chain *c = &ask->chain;
	uint64_t errors = 0;

	if (c->errors)
		return c->errors;
	if (c->needed > segments)
		errors |= fuzz_error_bit(VIRTIO_ENOBUFS);
	else if (c->readable_bytes < HEADER_BYTES)
		errors |= fuzz_error_bit(VIRTIO_ESHORT);
	return ask->answerable ? errors : errors | fuzz_error_bit(VIRTIO_ESHORT);
}

void blk_model_parse(struct model *queue, struct blk_ask *ask, uint32_t segments, uint32_t ranges)
{
	const struct model_chain *c = &ask->chain;
	const struct blk_run header = { 0, HEADER_BYTES };
	uint8_t raw[HEADER_BYTES];

	ask->room = ranges;
	find_status(queue, ask);
	ask->errors = find_errors(ask, segments);
	if (ask->errors)
		return;
	blk_get(queue->map->shadow, c, &header, 0, raw, HEADER_BYTES);
	ask->type = (uint32_t)number(raw, 4);
	ask->sector = number(raw + 8, 8);
	ask->out = (struct blk_run){ HEADER_BYTES, c->readable_bytes - HEADER_BYTES };
	ask->in = (struct blk_run){ c->readable_bytes, c->bytes - c->readable_bytes - 1 };
	if (on_ranges(ask->type))
		read_ranges(queue->map->shadow, ask);
}

static bool outside(const struct blk_model *m, uint64_t sector, uint64_t sectors)
{
	return (wide)sector + sectors > m->options.capacity;
}

/* Reasons to refuse a request are kept as a set of bits. */
#define REASON(name) (1u << VIRTIO_BLK_REFUSAL_##name)

static uint32_t when(bool applies, uint32_t reason)
{
	return applies ? reason : 0;
}

static uint32_t move_reasons(const struct blk_model *m, const struct blk_ask *ask)
{
	const bool write = ask->type == VIRTIO_BLK_T_OUT;
	const uint64_t bytes = write ? ask->out.bytes : ask->in.bytes, other = write ? ask->in.bytes : ask->out.bytes;
	const uint64_t most = m->options.max_request_bytes;

	/*
	 * virtio 1.4, 5.2.6.2: a disk that offers RO must fail writes, even if RO was not accepted.
	 * A used length has 32 bits and includes the status byte.
	 */
	return when(other > 0, REASON(WRONG_DIRECTION)) | when(write && m->options.read_only, REASON(READ_ONLY)) |
	       when(bytes % 512 != 0, REASON(NOT_SECTORS)) | when(most && bytes > most, REASON(TOO_LONG)) |
	       when(!write && bytes + 1 > UINT32_MAX, REASON(USED_LENGTH)) |
	       when(outside(m, ask->sector, bytes / 512), REASON(PAST_END));
}

static uint32_t get_reasons(const struct blk_ask *ask, uint64_t bytes)
{
	return when(ask->out.bytes > 0, REASON(WRONG_DIRECTION)) | when(ask->in.bytes < bytes, REASON(NO_ROOM));
}

static uint32_t range_reasons(const struct blk_model *m, const struct blk_ask *ask, uint32_t sectors, uint32_t seg)
{
	/* virtio 1.4, 5.2.6.2: only WRITE_ZEROES has a flag. */
	const uint32_t known = ask->type == VIRTIO_BLK_T_WRITE_ZEROES ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0;
	const uint64_t count = ask->out.bytes / 16;
	uint32_t set = when(ask->in.bytes > 0, REASON(WRONG_DIRECTION)) |
		       when(ask->out.bytes % 16 != 0, REASON(NOT_RANGES)) | when(count == 0, REASON(NO_RANGES)) |
		       when(count > seg || count > ask->room, REASON(TOO_MANY_RANGES));

	for (uint32_t i = 0; i < ask->range_count; i++)
		set |= when(ask->ranges[i].flags & ~known, REASON(UNKNOWN_FLAG)) |
		       when(ask->ranges[i].sectors > sectors, REASON(RANGE_TOO_LONG)) |
		       when(outside(m, ask->ranges[i].sector, ask->ranges[i].sectors), REASON(PAST_END));
	return set;
}

/* Returns all reasons to refuse the request. */
static uint32_t reasons(const struct blk_model *m, const struct blk_ask *ask)
{
	const struct virtio_blk_options *o = &m->options;
	const uint64_t has = m->negotiated;

	switch (ask->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		return move_reasons(m, ask);
	case VIRTIO_BLK_T_FLUSH:
		return when(!blk_model_can_flush(m), REASON(NOT_NEGOTIATED));
	case VIRTIO_BLK_T_GET_ID:
		return get_reasons(ask, VIRTIO_BLK_ID_BYTES);
	case VIRTIO_BLK_T_GET_LIFETIME:
		return when(!(has & BIT(LIFETIME)), REASON(NOT_NEGOTIATED)) | get_reasons(ask, 6);
	case VIRTIO_BLK_T_DISCARD:
		return when(!(has & BIT(DISCARD)), REASON(NOT_NEGOTIATED)) |
		       range_reasons(m, ask, o->max_discard_sectors, o->max_discard_seg);
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return when(!(has & BIT(WRITE_ZEROES)), REASON(NOT_NEGOTIATED)) |
		       range_reasons(m, ask, o->max_write_zeroes_sectors, o->max_write_zeroes_seg);
	case VIRTIO_BLK_T_SECURE_ERASE:
		return when(!(has & BIT(SECURE_ERASE)), REASON(NOT_NEGOTIATED)) |
		       range_reasons(m, ask, o->max_secure_erase_sectors, o->max_secure_erase_seg);
	default:
		return REASON(UNKNOWN_TYPE);
	}
}

enum virtio_blk_refusal blk_model_refusal(const struct blk_model *m, const struct blk_ask *ask)
{
	const uint32_t set = ask->errors ? REASON(BAD_CHAIN) : reasons(m, ask);
	uint32_t first = 0;

	while (set && !(set >> first & 1))
		first++;
	return (enum virtio_blk_refusal)first;
}

uint32_t blk_model_check(const struct blk_model *m, const struct blk_ask *ask)
{
	const enum virtio_blk_refusal refusal = blk_model_refusal(m, ask);

	if (refusal == VIRTIO_BLK_REFUSAL_NONE)
		return BLK_STATUS_BIT(VIRTIO_BLK_S_OK);
	/*
	 * virtio 1.4, 5.2.6.2: UNSUPP is the status for types and flags that the device doesn't
	 * know, and for commands that were not negotiated.
	 */
	return BLK_STATUS_BIT(refusal == VIRTIO_BLK_REFUSAL_UNKNOWN_TYPE ||
					      refusal == VIRTIO_BLK_REFUSAL_NOT_NEGOTIATED ||
					      refusal == VIRTIO_BLK_REFUSAL_UNKNOWN_FLAG
				      ? VIRTIO_BLK_S_UNSUPP
				      : VIRTIO_BLK_S_IOERR);
}

/* Carrying out */

static bool ranges_left(const struct blk_progress *p)
{
	for (uint32_t i = p->ranges; i < p->ask->range_count; i++)
		if (p->ask->ranges[i].sectors)
			return true;
	return false;
}

static bool data_left(const struct blk_progress *p)
{
	switch (p->ask->type) {
	case VIRTIO_BLK_T_IN:
		return p->done < p->ask->in.bytes;
	case VIRTIO_BLK_T_OUT:
		return p->done < p->ask->out.bytes;
	case VIRTIO_BLK_T_GET_LIFETIME:
		return !p->answered;
	default:
		return on_ranges(p->ask->type) && ranges_left(p);
	}
}

bool blk_model_flush_due(const struct blk_model *m, const struct blk_progress *p)
{
	if (data_left(p))
		return false;
	if (p->ask->type == VIRTIO_BLK_T_FLUSH)
		return !p->flushed;
	return p->changed && !p->flushed && blk_model_write_through(m);
}

bool blk_model_complete(const struct blk_model *m, const struct blk_progress *p)
{
	return !data_left(p) && !blk_model_flush_due(m, p);
}

uint64_t blk_model_written(const struct blk_progress *p, uint8_t status)
{
	const uint32_t type = p->ask->type;

	if (!p->accepted)
		return 0;
	if (type == VIRTIO_BLK_T_IN)
		return p->done;
	if (status != VIRTIO_BLK_S_OK)
		return 0;
	return type == VIRTIO_BLK_T_GET_ID ? VIRTIO_BLK_ID_BYTES : type == VIRTIO_BLK_T_GET_LIFETIME ? 6 : 0;
}

static void check_sectors(const struct blk_model *m, uint64_t sector, uint64_t sectors)
{
	for (uint64_t i = 0; i < sectors && i < BLK_DISK_SECTORS; i++)
		FUZZ_CHECK(!m->unstable[(sector + i) % BLK_DISK_SECTORS],
			   "the request succeeds before its sectors are stable");
}

void blk_model_check_stable(const struct blk_model *m, const struct blk_progress *p)
{
	const struct blk_ask *ask = p->ask;

	if (!(m->offered & BIT(FLUSH)))
		return;
	if (ask->type == VIRTIO_BLK_T_FLUSH)
		check_sectors(m, 0, BLK_DISK_SECTORS);
	if (!blk_model_write_through(m))
		return;
	if (ask->type == VIRTIO_BLK_T_OUT)
		check_sectors(m, ask->sector, ask->out.bytes / 512);
	for (uint32_t i = 0; on_ranges(ask->type) && i < ask->range_count; i++)
		check_sectors(m, ask->ranges[i].sector, ask->ranges[i].sectors);
}

void blk_model_count(struct blk_model *m, const struct blk_ask *ask, uint8_t status, enum virtio_blk_refusal refusal,
		     uint64_t written)
{
	struct virtio_blk_stats *s = &m->stats;

	if (s->first_refusal == VIRTIO_BLK_REFUSAL_NONE)
		s->first_refusal = refusal;
	if (!ask->answerable) {
		s->malformed++;
		return;
	}
	if (ask->errors)
		s->others++;
	else if (ask->type == VIRTIO_BLK_T_IN)
		s->reads++;
	else if (ask->type == VIRTIO_BLK_T_OUT)
		s->writes++;
	else if (ask->type == VIRTIO_BLK_T_FLUSH)
		s->flushes++;
	else if (ask->type == VIRTIO_BLK_T_GET_ID)
		s->ids++;
	else if (ask->type == VIRTIO_BLK_T_DISCARD)
		s->discards++;
	else if (ask->type == VIRTIO_BLK_T_WRITE_ZEROES)
		s->write_zeroes++;
	else if (ask->type == VIRTIO_BLK_T_SECURE_ERASE)
		s->secure_erases++;
	else
		s->others++;
	if (!ask->errors && ask->type == VIRTIO_BLK_T_IN)
		s->read_bytes += written;
	if (!ask->errors && ask->type == VIRTIO_BLK_T_OUT && status == VIRTIO_BLK_S_OK)
		s->written_bytes += ask->out.bytes;
	s->failed += status == VIRTIO_BLK_S_IOERR;
	s->unsupported += status == VIRTIO_BLK_S_UNSUPP;
}
