/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The vhost-user side's state of a device, and functions by which the control thread calls the
 * device's operations. Each function runs the operation on the device's thread if the device has
 * one, otherwise on the calling thread. If the device lacks the operation,
 * device_host_config_write() fails, and every other function succeeds.
 */
#ifndef DEVICE_HOST_H
#define DEVICE_HOST_H

#include "device.h"
#include "event_sources.h"
#include "vring.h"

#include <stdatomic.h>

struct device_host {
	struct device *device;
	struct vring_thread thread; /* unused unless the device has DEVICE_ONE_THREAD */
	struct event_wake config_wake;
	atomic_bool told_of_memory; /* the hint that memory isn't shared was printed */
	atomic_bool config_changed; /* set by a change, until the report is sent or not wanted */
	/*
	 * Features that check_features() has accepted since the last reset(). Valid if has_features
	 * is set.
	 */
	uint64_t features;
	bool has_features;
	/*
	 * The device was restored by --restore, and no driver has begun to use it since. The next
	 * driver may be the driver of the saved state.
	 */
	bool restored;
	bool in_file; /* see device_is_in_file() */
	/* Called on the control thread, some time after config_changed was set. */
	void (*tell)(struct device_host *host);
};

/*
 * Starts the device's thread if it has one, and opens the device.
 *
 * @loop    of the control thread
 * @tell    see struct device_host
 * @paused  whether the device's thread starts paused, until device_host_resume()
 *
 * Returns 0, or -1 after printing why not, with nothing to close.
 */
int device_host_open(struct device_host *host, struct device *device, struct event_loop *loop,
		     void (*tell)(struct device_host *host), bool paused);

/* Closes the device, and ends its thread. No queue may run. */
void device_host_close(struct device_host *host);

/* Returns the thread for all queues of the device, or NULL if each queue has its own thread. */
struct vring_thread *device_host_thread(struct device_host *host);

/*
 * Pauses the device's thread if the thread settles in time: see worker_try_pause(). A paused thread
 * still runs the operations below. Returns whether the thread is paused; true also if the device
 * has no thread. device_host_resume() undoes one pause.
 */
bool device_host_try_pause(struct device_host *host, const struct timespec *end);
void device_host_resume(struct device_host *host);

/* Pauses the device's thread, without a time limit. */
void device_host_pause(struct device_host *host);

/* The operations: see struct device_ops. */
void device_host_reset(struct device_host *host);
void device_host_attached(struct device_host *host);
void device_host_detached(struct device_host *host);
void device_host_refresh(struct device_host *host);
int device_host_check_features(struct device_host *host, uint64_t features);
int device_host_save(struct device_host *host, struct virtio_section_writer *writer, uint32_t number,
		     struct handover *handover);
int device_host_restore(struct device_host *host, struct virtio_section_reader *reader, uint32_t number, bool anew);

/* Bytes after the end of the configuration space read as zero, and can't be written. */
void device_host_config_read(struct device_host *host, uint32_t offset, void *data, uint32_t len);
int device_host_config_write(struct device_host *host, uint32_t offset, const void *data, uint32_t len);

#endif
