/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The model's walk along a chain (virtio 1.4, 2.7.5), one descriptor at a time or all at once, and
 * the model of requests.
 */
#include "chain_model.h"

#define BIT(error) fuzz_error_bit(VIRTIO_##error)

/* An address plus a length does not wrap in this type. */
__extension__ typedef unsigned __int128 wide;

struct raw_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

static struct raw_desc read_desc(struct model *m, const struct model_walk *w)
{
	uint8_t raw[16];
	struct raw_desc d = { 0 };

	shadow_get(m->map, w->table + DESC_BYTES * (uint64_t)w->next, raw, sizeof raw);
	for (int i = 7; i >= 0; i--)
		d.addr = d.addr << 8 | raw[i];
	for (int i = 3; i >= 0; i--)
		d.len = d.len << 8 | raw[8 + i];
	d.flags = (uint16_t)(raw[12] | raw[13] << 8);
	d.next = (uint16_t)(raw[14] | raw[15] << 8);
	return d;
}

/* Enters the table of an indirect descriptor. Returns 0, or the set of allowed errors. */
static uint64_t enter_table(struct model *m, struct model_walk *w, const struct raw_desc *d)
{
	const struct virtio_queue_config *c = &m->config;
	const uint32_t entries = d->len / 16;
	uint64_t errors;

	if (w->in_table || !(c->indirect || c->allow_unnegotiated_indirect))
		return BIT(EINDIRECT);
	if (d->len == 0 || d->len % 16 || entries > 65535 || (entries > c->size && !c->allow_long_indirect))
		return BIT(EINDIRECT);
	w->work += shadow_pieces(m->map, d->addr, d->len, VIRTIO_ACCESS_READ) + 2;
	errors = shadow_errors(m->map, d->addr, d->len, VIRTIO_ACCESS_READ);
	if (errors)
		return errors;
	w->table = d->addr;
	w->table_len = entries;
	w->next = 0;
	w->in_table = true;
	if (entries > c->size)
		w->left = entries;
	return 0;
}

/* Finds the next descriptor. Returns 1, 0 at the end, or -1 with the set of allowed errors. */
static int step(struct model *m, struct model_walk *w, struct virtio_desc *out, uint64_t *errors)
{
	struct raw_desc d;

	if (w->over)
		return 0;
	*errors = w->left == 0 ? BIT(ETOOLONG) : 0;
	if (*errors)
		return -1;
	/*
	 * The library may translate each of a descriptor's 16 bytes separately. At an indirect
	 * descriptor the library reads two descriptors.
	 */
	w->work += 40;
	d = read_desc(m, w);
	if (d.flags & VRING_DESC_F_INDIRECT) {
		*errors = enter_table(m, w, &d);
		if (*errors)
			return -1;
		d = read_desc(m, w);
	}
	if (d.flags & VRING_DESC_F_INDIRECT) {
		*errors = BIT(EINDIRECT);
		return -1;
	}
	if (d.len > w->bytes_left)
		*errors |= BIT(EBYTES);
	if (w->writable && !(d.flags & VRING_DESC_F_WRITE))
		*errors |= BIT(EORDER);
	if ((d.flags & VRING_DESC_F_NEXT) && d.next >= w->table_len)
		*errors |= BIT(ENEXT);
	if (*errors)
		return -1;
	w->bytes_left -= d.len;
	w->left--;
	w->next = d.next;
	w->writable = (d.flags & VRING_DESC_F_WRITE) != 0;
	w->over = !(d.flags & VRING_DESC_F_NEXT);
	out->addr = d.addr;
	out->len = d.len;
	out->writable = w->writable;
	return 1;
}

static void count_fault(struct model *m, int error, uint16_t head)
{
	if (error == VIRTIO_ENOTMAPPED) {
		m->stats.not_mapped++;
		return;
	}
	m->stats.chain_faults++;
	if (m->stats.first_error)
		return;
	m->stats.first_error = error;
	m->stats.first_head = head;
	m->stats.first_position = m->next_avail;
}

/* Ends a walk with an error. Later calls must return the same error. */
static void end_walk(struct model *m, struct model_walk *w, uint16_t head, int error)
{
	count_fault(m, error, head);
	w->over = true;
	w->final = error;
}

void model_next(struct model *m, struct model_walk *w, uint16_t head, int got, const struct virtio_desc *desc)
{
	struct virtio_desc d;
	uint64_t errors;
	int found;

	if (w->over) {
		FUZZ_CHECK(got == w->final, "after the end of the walk, next returned %d, not %d", got, w->final);
		return;
	}
	found = step(m, w, &d, &errors);
	if (found < 0) {
		FUZZ_CHECK(fuzz_error_bit(got) & errors, "next returned %d, allowed set %#llx", got,
			   (unsigned long long)errors);
		end_walk(m, w, head, got);
		return;
	}
	FUZZ_CHECK(got == 1, "next returned %d, not 1", got);
	FUZZ_CHECK(desc->addr == d.addr && desc->len == d.len && desc->writable == d.writable,
		   "next returned a wrong descriptor");
}

/* Resolving */

static void add_piece(struct model_chain *c, uint64_t addr, uint64_t len, const struct shadow_place *p)
{
	const struct model_piece piece = { addr, len, *p->region, p->offset };

	if (c->needed < MODEL_PIECES)
		c->pieces[c->needed] = piece;
	c->last = piece;
	c->needed++;
}

/* Adds the pieces of a buffer, unless this buffer or an earlier buffer is bad. */
static void add_buffer(struct model *m, struct model_chain *c, const struct virtio_desc *d)
{
	const uint32_t access = d->writable ? VIRTIO_ACCESS_WRITE : VIRTIO_ACCESS_READ;
	uint64_t addr = d->addr, left = d->len;
	struct shadow_place p;

	c->work += 3;
	if (d->writable && d->len != 0)
		c->end = *d;
	if (c->bad)
		return;
	c->bad = shadow_errors(m->map, addr, left, access);
	if (c->bad) {
		c->work += 2 * shadow_pieces(m->map, addr, left, access);
		return;
	}
	c->writable = c->writable || d->writable;
	c->bytes += left;
	while (left > 0 && shadow_find(m->map, addr, access, &p) == 0) {
		const uint64_t now = left < p.len ? left : p.len;

		add_piece(c, addr, now, &p);
		c->work += 2;
		addr += now;
		left -= now;
	}
	if (!c->writable) {
		c->readable = c->needed;
		c->readable_bytes = c->bytes;
	}
}

/* Finds the last writable byte, if any. Returns 0, or an error if that byte cannot be written. */
static int find_status(struct model *m, struct model_chain *c)
{
	const wide end = (wide)c->end.addr + c->end.len;
	struct shadow_place p;
	int error;

	if (c->end.len == 0)
		return 0;
	if (end > (wide)1 << 64)
		return VIRTIO_EFAULT;
	c->work += 2;
	error = shadow_find(m->map, (uint64_t)(end - 1), VIRTIO_ACCESS_WRITE, &p);
	if (!error)
		c->status = (struct model_piece){ (uint64_t)(end - 1), 1, *p.region, p.offset };
	return error;
}

/*
 * Returns the errors that a resolution may return. If a chain has a chain fault and a bad buffer,
 * only the chain fault is reported. If a buffer is not mapped yet, the walk may end before it
 * reaches a chain fault. While the status byte is not mapped yet, VIRTIO_ENOTMAPPED hides the error
 * of a bad buffer.
 */
static uint64_t resolve_errors(const struct model_chain *c, int status)
{
	uint64_t errors = 0;

	if (!c->bad)
		return c->shape;
	if (c->bad & BIT(ENOTMAPPED))
		errors = BIT(ENOTMAPPED) | c->shape;
	if (c->bad & ~BIT(ENOTMAPPED))
		errors |= c->shape                      ? c->shape
			  : status == VIRTIO_ENOTMAPPED ? BIT(ENOTMAPPED)
							: c->bad & ~BIT(ENOTMAPPED);
	return errors;
}

void model_expect_resolve(struct model *m, const struct model_walk *w, struct model_chain *out)
{
	struct model_walk walking = *w;
	struct virtio_desc d;
	int found, status = 0;

	memset(out, 0, sizeof *out);
	while ((found = step(m, &walking, &d, &out->shape)) == 1)
		add_buffer(m, out, &d);
	if (found == 0)
		status = find_status(m, out);
	out->errors = resolve_errors(out, status);
	out->work += walking.work;
}

static void check_piece(const struct model *m, const struct virtio_segment *s, const struct model_piece *p)
{
	FUZZ_CHECK(s->addr == p->addr && s->len == p->len, "a segment is at %#llx, or has a wrong length",
		   (unsigned long long)s->addr);
	FUZZ_CHECK((uint8_t *)s->host == shadow_host(m->map->shadow, &p->region) + p->offset,
		   "a segment has a wrong host address");
	FUZZ_CHECK(shadow_same_region(m->map, s->region, &p->region), "a segment has a wrong region");
}

static void check_last_writable(const struct model *m, const struct model_chain *c,
				const struct virtio_chain_segments *out)
{
	const struct virtio_segment *s = &out->last_writable;

	if (c->status.len == 0)
		FUZZ_CHECK(s->len == 0, "last_writable is set, but there is no last writable byte");
	else
		check_piece(m, s, &c->status);
}

/* Checks that the array of segments has all pieces, or as many pieces as fit. */
static void check_front(const struct model *m, const struct model_chain *c, const struct virtio_chain_segments *out)
{
	uint64_t bytes[2] = { 0, 0 };
	uint32_t counts[2] = { 0, 0 };

	FUZZ_CHECK(out->needed == c->needed, "%u segments needed, not %u", out->needed, c->needed);
	for (uint32_t i = 0; i < c->needed && i < out->capacity; i++) {
		check_piece(m, &out->segments[i], &c->pieces[i]);
		counts[i >= c->readable]++;
		bytes[i >= c->readable] += c->pieces[i].len;
	}
	FUZZ_CHECK(out->readable == counts[0] && out->writable == counts[1],
		   "wrong number of segments: %u readable, %u writable", out->readable, out->writable);
	FUZZ_CHECK(out->readable_bytes == bytes[0] && out->writable_bytes == bytes[1],
		   "wrong number of bytes in the chain");
	check_last_writable(m, c, out);
}

void model_left_behind(const struct model *m, const struct model_chain *expected, int error,
		       const struct virtio_chain_segments *out)
{
	if (!expected->shape && error != VIRTIO_ENOTMAPPED) {
		check_front(m, expected, out);
		return;
	}
	FUZZ_CHECK(out->readable == 0 && out->writable == 0 && out->needed == 0,
		   "a malformed or unmapped chain has segments");
	FUZZ_CHECK(out->readable_bytes == 0 && out->writable_bytes == 0, "a malformed or unmapped chain has bytes");
	FUZZ_CHECK(out->last_writable.len == 0, "a malformed or unmapped chain has a last writable byte");
}

void model_resolve(struct model *m, struct model_walk *w, const struct model_chain *expected, uint16_t head, int got,
		   const struct virtio_chain_segments *out)
{
	const int success = expected->needed > out->capacity ? VIRTIO_ENOBUFS : 0;

	if (expected->errors) {
		FUZZ_CHECK(fuzz_error_bit(got) & expected->errors, "resolve returned %d, allowed set %#llx", got,
			   (unsigned long long)expected->errors);
		end_walk(m, w, head, got);
		return;
	}
	FUZZ_CHECK(got == success, "resolve returned %d, the model disagrees", got);
	check_front(m, expected, out);
	/* If the array is too small, the walk stays where it was. */
	if (success)
		m->stats.too_many_segments++;
	else
		w->over = true;
}

/* Requests */

void model_not_mapped(struct model *m, struct model_walk *w, const struct model_chain *expected)
{
	FUZZ_CHECK(expected->errors & BIT(ENOTMAPPED), "VIRTIO_ENOTMAPPED is not among the allowed errors");
	end_walk(m, w, 0, VIRTIO_ENOTMAPPED);
}

static void check_no_data(const struct virtio_request *r)
{
	const struct virtio_chain_segments *data = &r->data;

	FUZZ_CHECK(data->readable == 0 && data->writable == 0 && data->readable_bytes == 0 && data->writable_bytes == 0,
		   "a failed request has data");
}

/*
 * Compares the header with the shadow. Compares the data with the chain's pieces between header and
 * status.
 */
static void check_data(const struct model *m, const struct model_chain *c, const struct virtio_request *r)
{
	const uint8_t *header = r->header;
	uint64_t front = r->header_bytes;
	uint32_t n = 0, readable = 0;

	for (uint32_t i = 0; i < c->needed; i++) {
		struct model_piece p = c->pieces[i];
		const uint64_t cut = p.len < front ? p.len : front;

		FUZZ_CHECK(memcmp(header, shadow_shadow(m->map->shadow, &p.region, p.offset), (size_t)cut) == 0,
			   "the header has wrong bytes");
		header += cut;
		front -= cut;
		p.addr += cut;
		p.offset += cut;
		p.len -= cut + (i + 1 == c->needed);
		if (p.len == 0)
			continue;
		check_piece(m, &r->data.segments[n++], &p);
		readable += i < c->readable;
	}
	FUZZ_CHECK(r->data.readable == readable && r->data.writable == n - readable,
		   "wrong number of data segments: %u readable, %u writable", r->data.readable, r->data.writable);
	FUZZ_CHECK(r->data.readable_bytes == c->readable_bytes - r->header_bytes &&
			   r->data.writable_bytes == c->bytes - c->readable_bytes - 1,
		   "wrong number of data bytes");
}

/* Returns the errors that a request may have although its chain is good. */
static uint64_t request_errors(const struct model_chain *c, const struct virtio_request *r)
{
	uint64_t errors = 0;

	if (c->status.len == 0 || c->readable_bytes < r->header_bytes)
		errors |= BIT(ESHORT);
	if (c->needed > r->data.capacity)
		errors |= BIT(ENOBUFS);
	return errors;
}

/* Checks a request whose chain is malformed or has a bad buffer. */
static void failed_request(struct model *m, struct model_walk *w, const struct model_chain *expected, uint16_t head,
			   const struct virtio_request *r)
{
	const uint64_t errors = expected->errors & ~BIT(ENOTMAPPED);

	FUZZ_CHECK(fuzz_error_bit(r->error) & errors, "a request has error %d, allowed set %#llx", r->error,
		   (unsigned long long)errors);
	if (expected->shape)
		FUZZ_CHECK(r->data.last_writable.len == 0, "a malformed chain has a status");
	else
		check_last_writable(m, expected, &r->data);
	check_no_data(r);
	end_walk(m, w, head, r->error);
}

void model_request(struct model *m, struct model_walk *w, const struct model_chain *expected, uint16_t head,
		   const struct virtio_request *r)
{
	uint64_t errors;

	if (expected->errors) {
		failed_request(m, w, expected, head, r);
		return;
	}
	w->over = true;
	errors = request_errors(expected, r);
	FUZZ_CHECK(errors ? (fuzz_error_bit(r->error) & errors) != 0 : r->error == 0,
		   "a request has error %d, the model disagrees", r->error);
	if (errors & BIT(ENOBUFS))
		m->stats.too_many_segments++;
	FUZZ_CHECK(r->data.needed == expected->needed, "%u segments needed, not %u", r->data.needed, expected->needed);
	check_last_writable(m, expected, &r->data);
	if (r->error)
		check_no_data(r);
	else
		check_data(m, expected, r);
}
