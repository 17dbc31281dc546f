/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The external copies of the inline functions, for callers that aren't compiled with optimisation,
 * take an address, or come from another language. C11, 6.7.4: a declaration with extern in one
 * translation unit makes it provide the definition.
 */
#include <virtio/descriptor.h>
#include <virtio/request.h>

extern uint16_t virtio_le16(uint16_t v);
extern uint32_t virtio_le32(uint32_t v);
extern uint64_t virtio_le64(uint64_t v);
extern uint16_t virtio_get_le16(const void *p);
extern uint32_t virtio_get_le32(const void *p);
extern uint64_t virtio_get_le64(const void *p);
extern void virtio_put_le16(void *p, uint16_t v);
extern void virtio_put_le32(void *p, uint32_t v);
extern void virtio_put_le64(void *p, uint64_t v);

extern void virtio_guest_copy(void *to, const void *from, size_t len);
extern void virtio_guest_copy_in(void *dst, const void *guest, size_t len);
extern void virtio_guest_copy_out(void *guest, const void *src, size_t len);
extern uint64_t virtio_guest_read_le64(const void *guest);
extern uint16_t virtio_guest_load_le16(const void *guest);
extern uint16_t virtio_guest_load_le16_acquire(const void *guest);
extern void virtio_guest_store_le16(void *guest, uint16_t value);
extern void virtio_guest_store_le16_release(void *guest, uint16_t value);
extern void virtio_guest_store_used(void *guest, uint32_t id, uint32_t len);
extern struct virtio_guest_desc virtio_guest_load_desc(const void *guest);
extern void virtio_full_fence(void);
extern void *virtio_memory_find(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len, uint32_t access);
extern bool virtio_memory_in_window(const struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len);
extern bool virtio_memory_moved(const struct virtio_memory_cursor *cursor, uint8_t *host, uint64_t addr, uint64_t len,
				void **out);
extern bool virtio_memory_find_plain_near(struct virtio_memory_cursor *cursor, const struct virtio_memory_cursor *other,
					  uint64_t addr, uint64_t len, void **out);
extern bool virtio_memory_find_plain(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len, void **out);
extern int virtio_memory_read_small(struct virtio_memory_cursor *cursor, uint64_t addr, void *dst, size_t len);
extern int virtio_memory_write_small(struct virtio_memory_cursor *cursor, uint64_t addr, const void *src, size_t len);
extern int virtio_memory_read(struct virtio_memory_cursor *cursor, uint64_t addr, void *dst, size_t len);
extern int virtio_memory_write(struct virtio_memory_cursor *cursor, uint64_t addr, const void *src, size_t len);

extern struct virtio_memory_cursor *virtio_chain_data_memory(const struct virtio_chain *chain);
extern int virtio_chain_next_aside(struct virtio_chain *chain, struct virtio_guest_desc d, bool loaded,
				   uint64_t charged, struct virtio_desc *out);
extern bool virtio_walk_enter_table(struct virtio_walk *walk, const struct virtio_memory_cursor *tables,
				    const struct virtio_guest_desc *d);
extern bool virtio_walk_refer(const struct virtio_walk *walk, const struct virtio_guest_desc *d, uint64_t *out);
extern int virtio_chain_next(struct virtio_chain *chain, struct virtio_desc *out);
extern void virtio_walk_end(struct virtio_walk *walk);
extern bool virtio_walk_three(struct virtio_walk *walk, const struct virtio_memory_cursor *tables,
			      struct virtio_guest_three *three);
extern void virtio_desc_set(struct virtio_desc *out, const struct virtio_guest_desc *d, bool writable);
extern void virtio_guest_three_get(const struct virtio_guest_three *three, struct virtio_desc *out);
extern int virtio_chain_walk(struct virtio_chain *chain, struct virtio_desc *out, uint32_t capacity);

extern int virtio_queue_init(struct virtio_queue *queue, struct virtio_inflight *inflight, uint32_t entries);
extern void virtio_queue_begin_walk(const struct virtio_queue *queue, uint16_t head, struct virtio_walk *walk);
extern void virtio_queue_take(struct virtio_queue *queue, uint16_t head, struct virtio_chain *chain);
extern bool virtio_queue_look(const struct virtio_queue *queue, uint16_t *out);
extern int virtio_queue_pop(struct virtio_queue *queue, struct virtio_chain *chain);
extern struct virtio_inflight *virtio_queue_find_plain(const struct virtio_queue *queue, struct virtio_token token);
extern void virtio_queue_give_back(struct virtio_queue *queue, struct virtio_inflight *entry, uint32_t head,
				   uint32_t len);
extern int virtio_queue_complete(struct virtio_queue *queue, struct virtio_token token, uint32_t len);
extern bool virtio_queue_needs_notification(struct virtio_queue *queue);
extern uint32_t virtio_queue_in_flight(const struct virtio_queue *queue);
extern bool virtio_queue_quiesced(const struct virtio_queue *queue);
extern bool virtio_queue_old_maps_unused(const struct virtio_queue *queue);
extern uint16_t virtio_queue_next_avail(const struct virtio_queue *queue);
extern uint16_t virtio_queue_next_used(const struct virtio_queue *queue);

extern int virtio_request_init(struct virtio_request *request, void *header, size_t header_bytes,
			       struct virtio_segment *segments, uint32_t capacity);
extern void virtio_segment_set(struct virtio_segment *segment, uint64_t addr, uint64_t len, void *host,
			       const struct virtio_region *region);
extern void virtio_request_set_plain(struct virtio_request *request, uint64_t data_bytes, bool writable);
extern int virtio_request_pop(struct virtio_queue *queue, struct virtio_request *request);
extern uint32_t virtio_request_used(uint64_t data_bytes, uint64_t written);
extern int virtio_request_complete(struct virtio_queue *queue, const struct virtio_request *request, uint8_t status,
				   uint64_t written);

extern struct virtio_raw_desc virtio_split_desc(uint64_t addr, uint32_t len, uint16_t flags, uint16_t next);
extern struct virtio_raw_desc virtio_packed_desc(uint64_t addr, uint32_t len, uint16_t id, uint16_t flags);
extern uint64_t virtio_raw_desc_addr(const struct virtio_raw_desc *d);
extern uint32_t virtio_raw_desc_len(const struct virtio_raw_desc *d);
extern uint16_t virtio_split_desc_flags(const struct virtio_raw_desc *d);
extern uint16_t virtio_split_desc_next(const struct virtio_raw_desc *d);
extern uint16_t virtio_packed_desc_id(const struct virtio_raw_desc *d);
extern uint16_t virtio_packed_desc_flags(const struct virtio_raw_desc *d);
extern struct vring_used_elem virtio_used_elem(uint32_t id, uint32_t len);
extern uint32_t virtio_used_elem_id(const struct vring_used_elem *e);
extern uint32_t virtio_used_elem_len(const struct vring_used_elem *e);
extern struct vring_packed_desc_event virtio_packed_event(uint16_t offset, uint8_t wrap, uint16_t flags);
extern uint16_t virtio_packed_event_offset(const struct vring_packed_desc_event *e);
extern uint8_t virtio_packed_event_wrap(const struct vring_packed_desc_event *e);
extern uint16_t virtio_packed_event_flags(const struct vring_packed_desc_event *e);
