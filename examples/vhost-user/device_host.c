/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Calls a device's operations. */
#include "device_host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A call of an operation, with its arguments and its result. */
struct operation {
	const struct device_host *host;
	/* At most one of these functions is set. */
	int (*open)(struct device *device, struct event_loop *loop);
	void (*call)(struct device *device);
	int (*check_features)(struct device *device, uint64_t features);
	void (*config_read)(struct device *device, uint32_t offset, void *data, uint32_t len);
	int (*config_write)(struct device *device, uint32_t offset, const void *data, uint32_t len);
	int (*save)(struct device *device, struct virtio_section_writer *writer, uint32_t number,
		    struct handover *handover);
	int (*restore)(struct device *device, struct virtio_section_reader *reader, uint32_t number, bool anew);
	uint64_t features;
	struct virtio_section_writer *writer;
	struct virtio_section_reader *reader;
	struct handover *handover;
	uint32_t number;
	bool anew;
	struct event_loop *loop;
	void *to;
	const void *from;
	uint32_t offset, len;
	int result;
};

static void run_operation(void *context)
{
	struct operation *op = context;
	struct device *device = op->host->device;

	if (op->open)
		op->result = op->open(device, op->loop);
	if (op->call)
		op->call(device);
	if (op->check_features)
		op->result = op->check_features(device, op->features);
	if (op->config_read)
		op->config_read(device, op->offset, op->to, op->len);
	if (op->config_write)
		op->result = op->config_write(device, op->offset, op->from, op->len);
	if (op->save)
		op->result = op->save(device, op->writer, op->number, op->handover);
	if (op->restore)
		op->result = op->restore(device, op->reader, op->number, op->anew);
}

struct vring_thread *device_host_thread(struct device_host *host)
{
	return host->device->threads == DEVICE_ONE_THREAD ? &host->thread : NULL;
}

static int run(struct device_host *host, struct operation *op)
{
	struct vring_thread *thread = device_host_thread(host);

	op->host = host;
	if (thread)
		worker_call(&thread->worker, run_operation, op);
	else
		run_operation(op);
	return op->result;
}

void device_host_reset(struct device_host *host)
{
	(void)run(host, &(struct operation){ .call = host->device->ops->reset });
	host->has_features = false;
}

void device_host_attached(struct device_host *host)
{
	(void)run(host, &(struct operation){ .call = host->device->ops->attached });
}

void device_host_detached(struct device_host *host)
{
	(void)run(host, &(struct operation){ .call = host->device->ops->detached });
}

void device_host_refresh(struct device_host *host)
{
	(void)run(host, &(struct operation){ .call = host->device->ops->refresh });
}

int device_host_check_features(struct device_host *host, uint64_t features)
{
	const int error = run(host, &(struct operation){
					    .check_features = host->device->ops->check_features,
					    .features = features,
				    });

	if (!error) {
		host->features = features;
		host->has_features = true;
	}
	return error;
}

int device_host_save(struct device_host *host, struct virtio_section_writer *writer, uint32_t number,
		     struct handover *handover)
{
	return run(host, &(struct operation){
				 .save = host->device->ops->save,
				 .writer = writer,
				 .number = number,
				 .handover = handover,
			 });
}

int device_host_restore(struct device_host *host, struct virtio_section_reader *reader, uint32_t number, bool anew)
{
	return run(host, &(struct operation){
				 .restore = host->device->ops->restore,
				 .reader = reader,
				 .number = number,
				 .anew = anew,
			 });
}

bool device_is_in_file(const struct device *device)
{
	return device->host->in_file;
}

void device_host_config_read(struct device_host *host, uint32_t offset, void *data, uint32_t len)
{
	const uint32_t size = host->device->config_size;

	memset(data, 0, len);
	if (offset >= size || len == 0)
		return;
	(void)run(host, &(struct operation){
				.config_read = host->device->ops->config_read,
				.offset = offset,
				.to = data,
				.len = len < size - offset ? len : size - offset,
			});
}

int device_host_config_write(struct device_host *host, uint32_t offset, const void *data, uint32_t len)
{
	const uint32_t size = host->device->config_size;

	if (!host->device->ops->config_write || offset > size || len > size - offset)
		return -1;
	return run(host, &(struct operation){
				 .config_write = host->device->ops->config_write,
				 .offset = offset,
				 .from = data,
				 .len = len,
			 });
}

bool device_host_try_pause(struct device_host *host, const struct timespec *end)
{
	struct vring_thread *thread = device_host_thread(host);

	if (!thread)
		return true;
	if (thread->pauses == 0 && !worker_try_pause(&thread->worker, end))
		return false;
	thread->pauses++;
	return true;
}

void device_host_pause(struct device_host *host)
{
	struct vring_thread *thread = device_host_thread(host);

	if (!thread)
		return;
	if (thread->pauses++ == 0)
		worker_pause(&thread->worker);
}

void device_host_resume(struct device_host *host)
{
	struct vring_thread *thread = device_host_thread(host);

	if (thread && --thread->pauses == 0)
		worker_resume(&thread->worker);
}

/* Changes of the configuration space */

static void on_config_wake(struct event_wake *wake)
{
	struct device_host *host = CONTAINER_OF(wake, struct device_host, config_wake);

	host->tell(host);
}

void device_config_changed(struct device *device)
{
	atomic_store(&device->host->config_changed, true);
	event_wake_signal(&device->host->config_wake);
}

/* Life cycle */

static int fail(struct device_host *host, const char *why)
{
	fprintf(stderr, "%s: %s\n", host->device->name, why);
	return -1;
}

static int start_thread(struct device_host *host)
{
	if (!device_host_thread(host) || vring_thread_open(&host->thread, host->device->name) == 0)
		return 0;
	return fail(host, strerror(errno));
}

static void end_thread(struct device_host *host)
{
	if (device_host_thread(host))
		vring_thread_close(&host->thread);
}

int device_host_open(struct device_host *host, struct device *device, struct event_loop *loop,
		     void (*tell)(struct device_host *host), bool paused)
{
	struct operation op = { .open = device->ops->open, .loop = loop };

	*host = (struct device_host){ .device = device, .tell = tell };
	device->host = host;
	if (event_wake_open(&host->config_wake, loop, on_config_wake))
		return fail(host, strerror(errno));
	if (start_thread(host) == 0) {
		if (device_host_thread(host))
			op.loop = &host->thread.worker.loop;
		if (paused)
			device_host_pause(host);
		if (run(host, &op) == 0)
			return 0;
		end_thread(host);
	}
	event_wake_close(&host->config_wake);
	return -1;
}

void device_host_close(struct device_host *host)
{
	(void)run(host, &(struct operation){ .call = host->device->ops->close });
	end_thread(host);
	event_wake_close(&host->config_wake);
}
