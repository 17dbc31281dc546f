/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* See oracle.h. */
#include "oracle.h"

static const struct virtio_region *region_of(const struct oracle_guest *guest, uint64_t addr)
{
	for (uint32_t i = 0; i < guest->region_count; i++)
		if (addr >= guest->regions[i].addr && addr - guest->regions[i].addr < guest->regions[i].len)
			return &guest->regions[i];
	return NULL;
}

bool oracle_peek(const struct oracle_guest *guest, uint64_t addr, void *out, uint32_t len)
{
	uint8_t *dst = out;

	for (uint32_t i = 0; i < len; i++) {
		const struct virtio_region *r = region_of(guest, addr + i);

		if (!r || addr + i < addr)
			return false;
		dst[i] = ((const uint8_t *)r->host)[addr + i - r->addr];
	}
	return true;
}

/* Loads a descriptor from guest memory: le64 addr, le32 len, le16 flags, le16 next (2.7.5). */
static bool load(const struct oracle_guest *guest, uint64_t addr, struct vring_desc *out)
{
	uint8_t b[16];
	uint64_t value = 0;

	if (!oracle_peek(guest, addr, b, sizeof b))
		return false;
	for (int i = 7; i >= 0; i--)
		value = value << 8 | b[i];
	out->addr = value;
	out->len = b[8] | (uint32_t)b[9] << 8 | (uint32_t)b[10] << 16 | (uint32_t)b[11] << 24;
	out->flags = (uint16_t)(b[12] | b[13] << 8);
	out->next = (uint16_t)(b[14] | b[15] << 8);
	return true;
}

static bool wraps(uint64_t addr, uint64_t len)
{
	return len != 0 && addr + (len - 1) < addr;
}

/*
 * Returns the errors of an access to a buffer. Unless the buffer wraps, each region of the buffer
 * before the first gap in memory can add an error.
 */
static oracle_errors judge_access(const struct oracle_guest *guest, const struct virtio_desc *buffer)
{
	uint64_t addr = buffer->addr, left = buffer->len;
	oracle_errors errors = wraps(addr, left) ? oracle_error(VIRTIO_EFAULT) : 0;

	while (left > 0 && !(errors & oracle_error(VIRTIO_EFAULT))) {
		const struct virtio_region *r = region_of(guest, addr);
		uint64_t take;

		if (!r)
			return errors | oracle_error(VIRTIO_EFAULT);
		if (buffer->writable && (r->flags & VIRTIO_REGION_READ_ONLY))
			errors |= oracle_error(VIRTIO_EPERM);
		take = r->len - (addr - r->addr);
		if (take > left)
			take = left;
		addr += take;
		left -= take;
	}
	return errors;
}

/* Cuts a good buffer at the borders of regions and appends the segments. */
static void resolve_buffer(const struct oracle_guest *guest, const struct virtio_desc *buffer, struct oracle_verdict *v)
{
	uint64_t addr = buffer->addr, left = buffer->len;

	while (left > 0) {
		const struct virtio_region *r = region_of(guest, addr);
		uint64_t take = r->len - (addr - r->addr);

		if (take > left)
			take = left;
		v->segments[v->resolved.needed++] = (struct virtio_segment){
			.addr = addr,
			.len = take,
			.host = (uint8_t *)r->host + (addr - r->addr),
			.region = r,
		};
		if (buffer->writable) {
			v->resolved.writable++;
			v->resolved.writable_bytes += take;
		} else {
			v->resolved.readable++;
			v->resolved.readable_bytes += take;
		}
		addr += take;
		left -= take;
	}
}

/* Returns the errors of an indirect table that is not nested (2.7.5.3). `d` refers to the table. */
static oracle_errors judge_table(const struct oracle_guest *guest, const struct vring_desc *d)
{
	oracle_errors errors = 0;

	if (!guest->indirect || d->len == 0 || d->len % 16 != 0 || d->len / 16 > guest->size)
		errors |= oracle_error(VIRTIO_EINDIRECT);
	if (wraps(d->addr, d->len))
		return errors | oracle_error(VIRTIO_EFAULT);
	for (uint64_t at = 0; at < d->len; at++) {
		const struct virtio_region *r = region_of(guest, d->addr + at);

		if (!r)
			return errors | oracle_error(VIRTIO_EFAULT);
		/* Skips the rest of this region, because all of the region is in memory. */
		at += r->len - (d->addr + at - r->addr) - 1;
	}
	return errors;
}

/*
 * Returns the errors of a descriptor, given the earlier descriptors of its chain. Does not check
 * where the buffer lies.
 */
static oracle_errors judge_shape(const struct oracle_verdict *v, const struct vring_desc *d, uint32_t table_len)
{
	oracle_errors errors = 0;
	uint64_t total = d->len;
	bool writable = false;

	for (uint32_t i = 0; i < v->count; i++) {
		total += v->yields[i].len;
		writable = writable || v->yields[i].writable;
	}
	if (total > UINT64_C(1) << 32)
		errors |= oracle_error(VIRTIO_EBYTES);
	if (writable && !(d->flags & VRING_DESC_F_WRITE))
		errors |= oracle_error(VIRTIO_EORDER);
	if ((d->flags & VRING_DESC_F_NEXT) && d->next >= table_len)
		errors |= oracle_error(VIRTIO_ENEXT);
	return errors;
}

/*
 * Finds the last byte of the writable buffers. Leaves last_writable.len 0 if the byte cannot be
 * written.
 */
static void find_last_writable(const struct oracle_guest *guest, struct oracle_verdict *v)
{
	for (uint32_t i = v->count; i-- > 0;) {
		const struct virtio_desc *d = &v->yields[i];
		const uint64_t addr = d->addr + d->len - 1;
		const struct virtio_region *r = region_of(guest, addr);

		if (!d->writable || d->len == 0)
			continue;
		if (wraps(d->addr, d->len) || !r || (r->flags & VIRTIO_REGION_READ_ONLY))
			return;
		v->resolved.last_writable.addr = addr;
		v->resolved.last_writable.len = 1;
		v->resolved.last_writable.host = (uint8_t *)r->host + (addr - r->addr);
		v->resolved.last_writable.region = r;
		return;
	}
}

/* Judges the buffers of a walk that ended without an error, up to the first bad buffer. */
static void resolve(const struct oracle_guest *guest, struct oracle_verdict *v)
{
	v->resolve = v->walk;
	if (v->walk)
		return;
	for (uint32_t i = 0; i < v->count && !v->resolve; i++) {
		v->resolve = judge_access(guest, &v->yields[i]);
		if (!v->resolve)
			resolve_buffer(guest, &v->yields[i], v);
	}
	find_last_writable(guest, v);
}

static void walk(const struct oracle_guest *guest, uint32_t head, struct oracle_verdict *v)
{
	uint64_t table = guest->table;
	uint32_t table_len = guest->size, index = head;
	bool nested = false;

	for (;;) {
		struct vring_desc d;
		struct virtio_desc buffer;

		if (v->count == guest->size) {
			v->walk = oracle_error(VIRTIO_ETOOLONG);
			return;
		}
		if (!load(guest, table + DESC_BYTES * (uint64_t)index, &d)) {
			v->walk = oracle_error(VIRTIO_EFAULT);
			return;
		}
		if (d.flags & VRING_DESC_F_INDIRECT) {
			const oracle_errors errors = nested ? oracle_error(VIRTIO_EINDIRECT) : judge_table(guest, &d);

			/*
			 * The write and next flags of this descriptor do not matter, because the
			 * table holds the rest of the chain.
			 */
			if (errors) {
				v->walk = errors;
				return;
			}
			table = d.addr;
			table_len = d.len / 16;
			index = 0;
			nested = true;
			continue;
		}
		buffer.addr = d.addr;
		buffer.len = d.len;
		buffer.writable = (d.flags & VRING_DESC_F_WRITE) != 0;
		v->walk = judge_shape(v, &d, table_len);
		if (v->walk)
			return;
		v->yields[v->count++] = buffer;
		if (!(d.flags & VRING_DESC_F_NEXT))
			return;
		index = d.next;
	}
}

void oracle_judge(const struct oracle_guest *guest, uint32_t head, struct oracle_verdict *v)
{
	v->count = 0;
	v->walk = v->resolve = 0;
	memset(&v->resolved, 0, sizeof v->resolved);
	walk(guest, head, v);
	resolve(guest, v);
}
