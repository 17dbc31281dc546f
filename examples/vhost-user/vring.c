/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Rings: starting, stopping, and passing their requests to the device. */
#include "vring.h"

#include "log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define POLL_INTERVAL_NS 2000000

/* Descriptors */

/* Only its name tells an eventfd from a timerfd, an epoll instance, a KVM virtual machine ... This needs /proc. */
static bool is_eventfd(int fd)
{
	static const char name[] = "anon_inode:[eventfd]";
	char path[32], target[sizeof name];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return readlink(path, target, sizeof target) == sizeof name - 1 && memcmp(target, name, sizeof name - 1) == 0;
}

static bool is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

static bool is_unix_socket(int fd)
{
	socklen_t len = sizeof(int);
	int domain;

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX;
}

static int poll_timer(void)
{
	const struct itimerspec every = { { 0, POLL_INTERVAL_NS }, { 0, POLL_INTERVAL_NS } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd >= 0)
		(void)timerfd_settime(fd, 0, &every, NULL);
	return fd;
}

/*
 * The flags of a pipe's open file are shared with the front end, which can make it block at any time. So it is
 * opened once more, for us alone. Returns the new descriptor, or -1.
 */
static int reopen_pipe(int fd)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

static bool can_write(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
}

/*
 * Tells the front end. That the descriptor can't take more is no error: then the other side has not
 * looked at earlier signals, and will see this one with them. An eventfd can't be opened once more, and Linux has
 * no write to one that doesn't wait; between question and write the front end can fill it, see vring.h.
 */
static void send_signal(const struct vring_signal *signal)
{
	const uint64_t one = 1;
	ssize_t sent;

	if (signal->fd < 0)
		return;
	if (signal->is_socket)
		sent = send(signal->fd, &one, sizeof one, MSG_DONTWAIT | MSG_NOSIGNAL);
	else if (can_write(signal->fd))
		sent = write(signal->fd, &one, sizeof one);
	else
		return;
	if (sent < 0 && errno != EAGAIN)
		log_line("can't signal a front end: %s", strerror(errno));
}

static int set_signal(struct vring_signal *signal, int fd)
{
	const bool is_socket = fd >= 0 && is_unix_socket(fd);

	if (fd >= 0 && is_pipe(fd)) {
		const int ours = reopen_pipe(fd);

		close(fd);
		if (ours < 0)
			return VIRTIO_EINVAL;
		fd = ours;
	} else if (fd >= 0 && !is_socket && !is_eventfd(fd)) {
		close(fd);
		return VIRTIO_EINVAL;
	}
	if (signal->fd >= 0)
		close(signal->fd);
	signal->fd = fd;
	signal->is_socket = is_socket;
	return 0;
}

int vring_set_call(struct vring *vring, int fd)
{
	const int error = set_signal(&vring->call, fd);

	/* What was completed before was for another descriptor, or for none: once too often does no harm. */
	if (!error && (vring->running || vring->broken))
		send_signal(&vring->call);
	return error;
}

int vring_set_err(struct vring *vring, int fd)
{
	return set_signal(&vring->err, fd);
}

static void drop_kick(struct vring *vring, struct event_source *kick)
{
	if (kick->fd < 0)
		return;
	event_loop_remove(vring->loop, kick);
	close(kick->fd);
	kick->fd = -1;
}

int vring_set_kick(struct vring *vring, int fd)
{
	const bool polled = fd < 0;
	struct event_source old = vring->kick;

	if (polled)
		fd = poll_timer();
	if (fd < 0)
		return VIRTIO_EINVAL;
	if (!polled && !is_eventfd(fd)) {
		close(fd);
		return VIRTIO_EINVAL;
	}
	vring->kick.fd = fd;
	if (event_loop_add(vring->loop, &vring->kick, polled ? EVENT_WHILE_READABLE : EVENT_ON_WAKE)) {
		close(fd);
		vring->kick = old;
		return VIRTIO_EINVAL;
	}
	vring->polled = polled;
	vring_stop(vring);
	drop_kick(vring, &old);
	return 0;
}

/* Running */

/* The guest has made a mess of the ring: nothing more is taken from it. */
static void break_ring(struct vring *vring, int error)
{
	log_line("%s: queue %u stopped: %s", vring->device->name, vring->index, virtio_strerror(error));
	vring_stop(vring);
	vring->broken = true;
	send_signal(&vring->err);
}

/*
 * One turn: what was in the ring at its beginning, at most, and as much of it as the device does in one go. When
 * there is more the ring waits for another turn behind the other rings and sockets.
 */
static void serve(struct vring *vring)
{
	struct virtio_queue *queue = &vring->queue;
	int got;

	if (!vring->running)
		return;
	got = virtio_queue_disable_notification(queue);
	if (got == 0)
		got = virtio_queue_available(queue);
	if (got > 0)
		got = vring->device->ops->process(vring->device, vring->index, queue, (unsigned int)got);
	/* Also after an error: what was completed before it is to be heard of. */
	if (virtio_queue_needs_notification(queue))
		send_signal(&vring->call);
	if (got == 0)
		got = virtio_queue_enable_notification(queue);
	if (shared_memory_damaged(vring->memory)) {
		vring_stop(vring);
		event_loop_schedule(vring->loop, vring->damaged);
	} else if (got > 0) {
		event_loop_schedule(vring->loop, &vring->again);
	} else if (got < 0) {
		break_ring(vring, got);
	}
}

static void on_kick(struct event_source *source)
{
	struct vring *vring = CONTAINER_OF(source, struct vring, kick);
	uint64_t count;

	/* Our own timer goes on only when it is read; it doesn't block. */
	if (vring->polled && read(source->fd, &count, sizeof count) < 0)
		return;
	serve(vring);
}

static void on_again(struct event_task *task)
{
	serve(CONTAINER_OF(task, struct vring, again));
}

/* Starting and stopping */

/* The ring areas as guest addresses. Each must lie in one region of the front end's address space. */
static int resolve(const struct vring *vring, const struct shared_memory *memory, const uint64_t addr[3],
		   struct virtio_queue_config *config)
{
	*config = vring->config;
	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED; i++) {
		const uint64_t len = virtio_queue_config_area_bytes(config, (enum virtio_queue_area)i);
		int error = shared_memory_user_to_guest(memory, addr[i], len, &config->addr[i]);

		if (error)
			return error;
	}
	return virtio_queue_config_check(config, &memory->map);
}

/* A front end may have served the ring by another back end before: the used index is where that left it. */
static int start_queue(struct vring *vring, const struct virtio_queue_config *config,
		       const struct shared_memory *memory)
{
	struct virtio_queue *queue = &vring->queue;
	uint16_t used;
	int error = virtio_queue_start(queue, config, &memory->map);

	if (error)
		return error;
	error = virtio_queue_read_used_idx(queue, &used);
	if (!error)
		error = virtio_queue_set_next_used(queue, used);
	if (!error)
		error = virtio_queue_set_next_avail(queue, vring->base);
	if (error)
		virtio_queue_reset(queue);
	return error;
}

int vring_start(struct vring *vring, const struct shared_memory *memory)
{
	struct virtio_queue_config config;
	int error;

	if (vring->running || vring->broken || !vring->enabled || !vring->addressed || vring->kick.fd < 0 || !memory)
		return 0;
	error = resolve(vring, memory, vring->addr, &config);
	if (error)
		return error;
	config.ready = true;
	error = start_queue(vring, &config, memory);
	if (error)
		return error;
	vring->running = true;
	vring->memory = memory;
	/* There may be requests whose kick went to an earlier descriptor, or to nobody. */
	event_loop_schedule(vring->loop, &vring->again);
	return 0;
}

void vring_stop(struct vring *vring)
{
	vring->broken = false;
	event_loop_cancel(vring->loop, &vring->again);
	if (!vring->running)
		return;
	vring->running = false;
	vring->memory = NULL;
	vring->base = virtio_queue_next_avail(&vring->queue);
	virtio_queue_reset(&vring->queue);
}

void vring_disconnect(struct vring *vring)
{
	vring_stop(vring);
	drop_kick(vring, &vring->kick);
}

int vring_set_size(struct vring *vring, uint32_t size)
{
	if (vring->running)
		return VIRTIO_EBUSY;
	return virtio_queue_config_set_size(&vring->config, size);
}

int vring_set_addr(struct vring *vring, const struct shared_memory *memory, const uint64_t addr[3])
{
	struct virtio_queue_config config;
	int error = vring->running ? VIRTIO_EBUSY : resolve(vring, memory, addr, &config);

	if (error)
		return error;
	memcpy(vring->addr, addr, sizeof vring->addr);
	vring->addressed = true;
	return 0;
}

int vring_set_base(struct vring *vring, uint32_t base)
{
	if (vring->running)
		return VIRTIO_EBUSY;
	if (base > UINT16_MAX)
		return VIRTIO_EINVAL;
	vring->base = (uint16_t)base;
	return 0;
}

/* Memory */

bool vring_fits(const struct vring *vring, const struct shared_memory *memory)
{
	return !vring->running || virtio_queue_config_check(&vring->queue.config, &memory->map) == 0;
}

void vring_switch_memory(struct vring *vring, const struct shared_memory *memory)
{
	int error;

	if (!vring->running)
		return;
	vring->memory = memory;
	error = virtio_queue_set_memory(&vring->queue, &memory->map);
	if (error)
		break_ring(vring, error);
	/* A device completes what it pops before it returns, so the old memory can go right away. */
	assert(virtio_queue_old_maps_unused(&vring->queue));
}

/* Life cycle */

int vring_open(struct vring *vring, struct event_loop *loop, struct device *device, uint16_t index,
	       struct event_task *damaged)
{
	const uint32_t entries = VIRTIO_QUEUE_INFLIGHT_ENTRIES(device->max_queue_size);

	memset(vring, 0, sizeof *vring);
	vring->kick = (struct event_source){ .fd = -1, .ready = on_kick };
	vring->again.run = on_again;
	vring->loop = loop;
	vring->device = device;
	vring->index = index;
	vring->damaged = damaged;
	vring->call.fd = -1;
	vring->err.fd = -1;
	vring->inflight = calloc(entries, sizeof *vring->inflight);
	if (!vring->inflight || virtio_queue_config_init(&vring->config, device->max_queue_size) ||
	    virtio_queue_init(&vring->queue, vring->inflight, entries)) {
		free(vring->inflight);
		vring->inflight = NULL;
		return -1;
	}
	/* Drivers build tables as long as the device allows segments, however small the ring is. */
	vring->config.allow_long_indirect = true;
	return 0;
}

void vring_close(struct vring *vring)
{
	struct virtio_queue_stats stats;

	vring_disconnect(vring);
	(void)vring_set_call(vring, -1);
	(void)vring_set_err(vring, -1);
	virtio_queue_get_stats(&vring->queue, &stats);
	vring->device->ring_faults += stats.ring_faults;
	free(vring->inflight);
}
