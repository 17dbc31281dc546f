/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The functions that the programs of this folder and their tests call in each other. */
#ifndef TESTS_CONSUMERS_H
#define TESTS_CONSUMERS_H

#include <virtio/queue.h>

struct vmm;
struct kvm_slot;
struct echo_device;
struct memory_table;
struct vhost_vring;
struct io;

int vmm_set_memory(struct vmm *vmm, const struct kvm_slot *slots, uint32_t count);
int echo_init(struct echo_device *dev, void (*interrupt)(void *vm), void *vm);
int echo_activate(struct echo_device *dev, const struct vmm *vmm, const struct virtio_queue_config *config);
void echo_reset(struct echo_device *dev);
int echo_kicked(struct echo_device *dev);

int vhost_vring_init(struct vhost_vring *vring);
int front_end_to_guest(const struct memory_table *table, uint64_t addr, uint64_t *out);
int vring_set_addr(struct vhost_vring *vring, const struct memory_table *table, uint64_t desc, uint64_t avail,
		   uint64_t used);
int vring_start(struct vhost_vring *vring, const struct memory_table *table);
uint16_t vring_stop(struct vhost_vring *vring);
int vring_switch_memory(struct vhost_vring *vring, const struct memory_table *table, bool *old_unused);
int vring_next_io(struct vhost_vring *vring, struct io *io, int *budget);
int vring_sleep(struct vhost_vring *vring);
int vring_io_done(struct vhost_vring *vring, struct io *io, uint32_t bytes, void (*call)(void));

int partition_boot(void *ram, uint64_t ram_size);
int partition_start(const struct virtio_queue_config *config);
void partition_stop(void);
int partition_poll(void);
uint64_t read_sensor(uint32_t number);
void raise_interrupt(void);

#endif
