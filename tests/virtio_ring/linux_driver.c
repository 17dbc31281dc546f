/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Calls Linux's virtio_ring.c. build.sh compiles this file and virtio_ring.c with the user-space
 * versions of the kernel's headers, which are in tools/ of Linux's source.
 */
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "linux_driver.h"

/* The user-space headers lack the first two declarations. */
bool virtqueue_kick_prepare(struct virtqueue *vq);
const struct vring *virtqueue_get_vring(struct virtqueue *vq);
irqreturn_t vring_interrupt(int irq, void *vq);

/*
 * With these variables the headers can divert allocations. The variables stay NULL, because
 * build.sh diverts allocations in another way.
 */
extern void *__kmalloc_fake, *__kfree_ignore_start, *__kfree_ignore_end;
void *__kmalloc_fake, *__kfree_ignore_start, *__kfree_ignore_end;

struct linux_driver {
	struct virtio_device device;
	struct virtqueue *queue;
	bool *interrupt_seen;
};

static bool notify(struct virtqueue *queue)
{
	(void)queue;
	return true;
}

static void callback(struct virtqueue *queue)
{
	struct linux_driver *driver = queue->vdev->dev.parent;

	*driver->interrupt_seen = true;
}

struct linux_driver *linux_driver_create(unsigned int size, bool event_idx, bool indirect, void *rings,
					 bool *interrupt_seen)
{
	struct linux_driver *driver = calloc(1, sizeof *driver);

	if (!driver)
		return NULL;
	driver->interrupt_seen = interrupt_seen;
	driver->device.dev.parent = driver;
	INIT_LIST_HEAD(&driver->device.vqs);
	spin_lock_init(&driver->device.vqs_list_lock);
	__virtio_set_bit(&driver->device, VIRTIO_F_VERSION_1);
	if (event_idx)
		__virtio_set_bit(&driver->device, VIRTIO_RING_F_EVENT_IDX);
	if (indirect)
		__virtio_set_bit(&driver->device, VIRTIO_RING_F_INDIRECT_DESC);
	driver->queue =
		vring_new_virtqueue(0, size, 4096, &driver->device, true, false, rings, notify, callback, "test");
	if (!driver->queue) {
		free(driver);
		return NULL;
	}
	return driver;
}

void linux_driver_destroy(struct linux_driver *driver)
{
	vring_del_virtqueue(driver->queue);
	free(driver);
}

void linux_driver_areas(struct linux_driver *driver, uint64_t addr[3])
{
	const struct vring *vring = virtqueue_get_vring(driver->queue);

	addr[0] = (uintptr_t)vring->desc;
	addr[1] = (uintptr_t)vring->avail;
	addr[2] = (uintptr_t)vring->used;
}

bool linux_driver_add(struct linux_driver *driver, const struct linux_piece *pieces, unsigned int out, unsigned int in,
		      void *request)
{
	struct scatterlist lists[LINUX_MAX_PIECES];
	struct scatterlist *sgs[LINUX_MAX_PIECES];
	int error;

	for (unsigned int i = 0; i < out + in; i++) {
		sg_init_one(&lists[i], pieces[i].bytes, pieces[i].len);
		sgs[i] = &lists[i];
	}
	error = virtqueue_add_sgs(driver->queue, sgs, out, in, request, GFP_ATOMIC);
	if (error && error != -ENOSPC) {
		fprintf(stderr, "FAILED: virtqueue_add_sgs: %d\n", error);
		exit(1);
	}
	return error == 0;
}

bool linux_driver_kick(struct linux_driver *driver)
{
	return virtqueue_kick_prepare(driver->queue);
}

void *linux_driver_get(struct linux_driver *driver, unsigned int *len)
{
	return virtqueue_get_buf(driver->queue, len);
}

bool linux_driver_enable_interrupts(struct linux_driver *driver, bool delayed)
{
	return delayed ? virtqueue_enable_cb_delayed(driver->queue) : virtqueue_enable_cb(driver->queue);
}

void linux_driver_disable_interrupts(struct linux_driver *driver)
{
	virtqueue_disable_cb(driver->queue);
}

void linux_driver_interrupt(struct linux_driver *driver)
{
	(void)vring_interrupt(0, driver->queue);
}
