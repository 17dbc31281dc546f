/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Starts and stops rings, and passes their requests to the device on the ring's thread. */
#include "vring.h"

#include "device_host.h"
#include "log.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <virtio/bindings/virtio_ring.h>
#include <virtio/features.h>

static bool has_feature(uint64_t features, unsigned int bit)
{
	return (features & virtio_feature_mask(bit)) != 0;
}

/* Descriptors */

/* A new descriptor, which replaces the descriptor that the worker uses. */
struct replacement {
	struct vhost_vring *vring;
	struct vring_signal fresh;
};

/*
 * Earlier completions may have been signalled to the old descriptor only. So the new descriptor is
 * signalled, too. An extra signal does no harm.
 */
static void replace_call(void *context)
{
	struct replacement *new = context;
	struct vhost_vring *vring = new->vring;

	vring_signal_replace(&vring->call, &new->fresh);
	vring->call_is_new = true;
	if (vring->served)
		event_loop_schedule(vring->queue.loop, &vring->again);
}

static void replace_err(void *context)
{
	struct replacement *new = context;

	vring_signal_replace(&new->vring->err, &new->fresh);
}

static int replace(struct vhost_vring *vring, int fd, void (*replace_one)(void *context))
{
	struct replacement new = { .vring = vring };
	const int error = vring_signal_accept(fd, &new.fresh);

	if (error)
		return error;
	if (vring->running)
		worker_call(&vring->thread->worker, replace_one, &new);
	else
		replace_one(&new);
	return 0;
}

int vring_set_call(struct vhost_vring *vring, int fd)
{
	return replace(vring, fd, replace_call);
}

int vring_set_err(struct vhost_vring *vring, int fd)
{
	return replace(vring, fd, replace_err);
}

static void drop_kick(struct vhost_vring *vring)
{
	if (vring->kick_fd >= 0)
		close(vring->kick_fd);
	vring->kick_fd = -1;
}

/* A new kick descriptor, which replaces the descriptor for which the worker waits. */
struct kick_replacement {
	struct vhost_vring *vring;
	int fd;
	bool polled;
	int error;
};

/*
 * Returns whether the descriptor is readable. Kicks by an earlier driver keep it readable, because
 * the daemon never reads a kick descriptor.
 */
static bool is_kicked(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}

/* The old descriptor may have been kicked after its last event, so a turn follows. */
static void replace_kick(void *context)
{
	struct kick_replacement *new = context;
	struct vhost_vring *vring = new->vring;
	struct event_source old = vring->kick;

	/* The ring has broken meanwhile. Its next start uses the new descriptor. */
	if (!vring->served) {
		vring->polled = new->polled;
		return;
	}
	vring->kick.fd = new->fd;
	vring->stale_kick = is_kicked(new->fd);
	if (event_loop_add(vring->queue.loop, &vring->kick, new->polled ? EVENT_WHILE_READABLE : EVENT_ON_WAKE)) {
		vring->kick = old;
		new->error = VIRTIO_EIO;
		return;
	}
	event_loop_remove(vring->queue.loop, &old);
	vring->polled = new->polled;
	event_loop_schedule(vring->queue.loop, &vring->again);
}

int vring_set_kick(struct vhost_vring *vring, int fd)
{
	struct kick_replacement new = { .vring = vring, .fd = fd, .polled = fd < 0 };

	if (new.polled)
		new.fd = vring_poll_timer();
	if (new.fd < 0)
		return VIRTIO_EINVAL;
	if (!new.polled && !vring_is_eventfd(fd)) {
		close(fd);
		return VIRTIO_EINVAL;
	}
	if (vring_runs(vring))
		worker_call(&vring->thread->worker, replace_kick, &new);
	else
		vring->polled = new.polled;
	if (new.error) {
		close(new.fd);
		return new.error;
	}
	drop_kick(vring);
	vring->kick_fd = new.fd;
	vring->setup.held = false;
	if (!vring->running)
		atomic_store(&vring->broken, false);
	return 0;
}

/* Running: on the worker's thread */

static void drain(struct vhost_vring *vring)
{
	if (vring->device->ops->queue_drain)
		vring->device->ops->queue_drain(vring->device, &vring->queue);
}

static void notify(struct vhost_vring *vring)
{
	const bool wanted = virtio_queue_needs_interrupt(&vring->queue.virtq);

	if (wanted || vring->queue.signal || vring->call_is_new)
		vring_signal_send(&vring->call);
	vring->queue.signal = false;
	vring->call_is_new = false;
}

/* Stops serving the ring. Removes the ring from the device and from the thread's list. */
static void let_go(void *context)
{
	struct vhost_vring *vring = context;
	struct vhost_vring **link = &vring->thread->rings;

	if (!vring->served)
		return;
	drain(vring);
	if (vring->device->ops->queue_stop)
		vring->device->ops->queue_stop(vring->device, &vring->queue);
	notify(vring);
	event_loop_remove(vring->queue.loop, &vring->kick);
	event_loop_cancel(vring->queue.loop, &vring->again);
	while (*link != vring)
		link = &(*link)->next;
	*link = vring->next;
	vring->served = false;
}

/* Stops serving the ring, and then marks the ring as broken. The thread continues. */
static void give_up(struct vhost_vring *vring)
{
	let_go(vring);
	atomic_store(&vring->broken, true);
}

/* Called when the guest has broken the ring. */
static void break_ring(struct vhost_vring *vring, int error)
{
	log_line("%s: queue %u stopped: %s", vring->device->name, vring->queue.index, virtio_strerror(error));
	give_up(vring);
	vring_signal_send(&vring->err);
}

/*
 * Runs one turn. The budget is the number of chains that are available at the start of the turn.
 * If work remains, another turn follows after the worker has checked for orders, unless the device
 * waits (DEVICE_TURN_WAIT).
 */
static void serve(struct vhost_vring *vring)
{
	struct virtio_queue *queue = &vring->queue.virtq;
	const uint64_t one = 1;
	bool again = false;
	int got;

	if (!vring->served)
		return;
	got = virtio_queue_disable_kicks(queue);
	if (got == 0)
		got = virtio_queue_available(queue);
	if (got >= 0) {
		got = vring->device->ops->queue_notify(vring->device, &vring->queue, (unsigned int)got);
		again = got == DEVICE_TURN_AGAIN;
	}
	/*
	 * Notify the driver after an error, too. Chains may have been completed before the error.
	 */
	notify(vring);
	if (got == DEVICE_TURN_DONE) {
		got = virtio_queue_enable_kicks(queue);
		again = got > 0;
	}
	if (shared_memory_damaged(vring->memory)) {
		give_up(vring);
		(void)!write(vring->damaged_fd, &one, sizeof one);
	} else if (got < 0) {
		break_ring(vring, got);
	} else if (again) {
		event_loop_schedule(vring->queue.loop, &vring->again);
	}
}

/*
 * Bytes of the descriptor table that are examined. A driver writes to some of these bytes before
 * its first request.
 */
#define LOOK_BYTES 256u

/*
 * Returns whether the ring looks as if no driver had ever written to it. If such a ring is kicked,
 * the driver uses other memory than this process sees.
 */
static bool is_untouched(struct vhost_vring *vring)
{
	const struct virtio_queue_config *config = &vring->queue.virtq.config;
	const uint64_t len = virtio_queue_config_area_bytes(config, VIRTIO_QUEUE_DESC);
	static const uint8_t zeroes[LOOK_BYTES];
	struct virtio_memory_cursor cursor;
	uint8_t bytes[LOOK_BYTES];
	const size_t part = len < sizeof bytes ? (size_t)len : sizeof bytes;

	virtio_memory_cursor_init(&cursor, &vring->memory->map);
	return virtio_queue_next_avail(&vring->queue.virtq) == 0 && virtio_queue_available(&vring->queue.virtq) == 0 &&
	       virtio_memory_read(&cursor, config->addr[VIRTIO_QUEUE_DESC], bytes, part) == 0 &&
	       memcmp(bytes, zeroes, part) == 0;
}

static void look_for_memory(struct vhost_vring *vring)
{
	const bool stale = vring->stale_kick;

	vring->stale_kick = false;
	if (stale || !vring->served || vring->polled || !is_untouched(vring) ||
	    atomic_exchange(&vring->device->host->told_of_memory, true))
		return;
	log_line("%s: queue %u: kicks without requests: the guest's memory isn't shared with this process (QEMU: "
		 "share=on; Cloud Hypervisor: shared=on)",
		 vring->device->name, vring->queue.index);
}

static void on_kick(struct event_source *source)
{
	struct vhost_vring *vring = CONTAINER_OF(source, struct vhost_vring, kick);
	uint64_t count;

	/* A timer stays readable until it is read. This read doesn't block. */
	if (vring->polled && read(source->fd, &count, sizeof count) < 0)
		return;
	serve(vring);
	look_for_memory(vring);
}

static void on_again(struct event_task *task)
{
	serve(CONTAINER_OF(task, struct vhost_vring, again));
}

/* The driver may have added requests while kicks were disabled, so a turn follows. */
static void on_settle(struct worker *worker)
{
	const struct vring_thread *thread = CONTAINER_OF(worker, struct vring_thread, worker);

	for (struct vhost_vring *vring = thread->rings; vring; vring = vring->next) {
		drain(vring);
		notify(vring);
		event_loop_schedule(vring->queue.loop, &vring->again);
	}
}

/* For devices */

static struct vhost_vring *from_queue(struct device_queue *queue)
{
	return CONTAINER_OF(queue, struct vhost_vring, queue);
}

void device_queue_wake(struct device_queue *queue)
{
	event_loop_schedule(queue->loop, &from_queue(queue)->again);
}

/* If guest memory is lost, the next turn handles the loss. */
void device_queue_signal(struct device_queue *queue)
{
	struct vhost_vring *vring = from_queue(queue);

	notify(vring);
	if (shared_memory_damaged(vring->memory))
		device_queue_wake(queue);
}

/* Starting and stopping */

/*
 * Fills in the driver's set-up for virtio_queue_start(). Each area must lie in one region of
 * `memory`.
 */
int vring_resolve(const struct vhost_vring *vring, const struct shared_memory *memory, uint64_t features,
		  struct virtio_queue_config *config)
{
	int error = virtio_queue_config_init(config, vring->device->max_queue_size);

	if (!error)
		error = virtio_queue_config_set_size(config, vring->setup.size);
	if (error)
		return error;
	config->event_idx = has_feature(features, VIRTIO_RING_F_EVENT_IDX);
	config->indirect = has_feature(features, VIRTIO_RING_F_INDIRECT_DESC);
	/*
	 * Drivers may build indirect tables with as many entries as the device allows segments,
	 * even if the ring is smaller.
	 */
	config->allow_long_indirect = true;
	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED; i++) {
		const uint64_t len = virtio_queue_config_area_bytes(config, (enum virtio_queue_area)i);

		error = shared_memory_user_to_guest(memory, vring->setup.addr[i], len, &config->addr[i]);
		if (error)
			return error;
	}
	config->ready = true;
	return virtio_queue_config_check(config, &memory->map);
}

uint64_t vring_faults(const struct vhost_vring *vring)
{
	struct virtio_queue_stats stats;

	if (!vring->inflight)
		return 0;
	virtio_queue_get_stats(&vring->queue.virtq, &stats);
	return stats.ring_faults;
}

/*
 * Adds the queue's faults to the device's faults, because the queue's statistics are about to be
 * lost.
 */
static void count_faults(struct vhost_vring *vring)
{
	vring->device->ring_faults += vring_faults(vring);
}

/*
 * The array `inflight` is as long as the ring's largest size so far, because most rings have far
 * fewer than the possible 32768 entries.
 */
static int make_room(struct vhost_vring *vring)
{
	const uint32_t entries = vring->setup.size;
	struct virtio_inflight *inflight;

	if (vring->inflight && vring->queue.virtq.inflight_entries >= entries)
		return 0;
	inflight = calloc(entries, sizeof *inflight);
	if (!inflight)
		return VIRTIO_EIO;
	count_faults(vring);
	free(vring->inflight);
	vring->inflight = inflight;
	return virtio_queue_init(&vring->queue.virtq, inflight, entries);
}

/*
 * Reads the last used index from the used ring, because another back end may have served the ring.
 */
static int start_queue(struct vhost_vring *vring, const struct virtio_queue_config *config,
		       const struct shared_memory *memory)
{
	struct virtio_queue *queue = &vring->queue.virtq;
	uint16_t used;
	int error = virtio_queue_start(queue, config, &memory->map);

	if (error)
		return error;
	error = virtio_queue_read_used_idx(queue, &used);
	if (!error)
		error = virtio_queue_set_next_used(queue, used);
	if (!error)
		error = virtio_queue_set_next_avail(queue, vring->setup.base);
	if (error)
		virtio_queue_reset(queue);
	return error;
}

/* A ring that its thread starts to serve. */
struct entry {
	struct vhost_vring *vring;
	int error;
};

/*
 * Begins with a turn, because the ring may have requests whose kick went to an earlier descriptor,
 * or to no descriptor.
 */
static void take_on(void *context)
{
	struct entry *entry = context;
	struct vhost_vring *vring = entry->vring;
	struct vring_thread *thread = vring->thread;

	vring->queue.loop = &thread->worker.loop;
	vring->kick.fd = vring->kick_fd;
	vring->stale_kick = is_kicked(vring->kick_fd);
	if (event_loop_add(vring->queue.loop, &vring->kick, vring->polled ? EVENT_WHILE_READABLE : EVENT_ON_WAKE)) {
		log_line("%s: queue %u: can't wait for kicks: %s", vring->device->name, vring->queue.index,
			 strerror(errno));
		entry->error = VIRTIO_EIO;
		return;
	}
	if (vring->device->ops->queue_start)
		entry->error = vring->device->ops->queue_start(vring->device, &vring->queue);
	if (entry->error) {
		event_loop_remove(vring->queue.loop, &vring->kick);
		event_loop_cancel(vring->queue.loop, &vring->again);
		return;
	}
	vring->next = thread->rings;
	thread->rings = vring;
	vring->served = true;
	event_loop_schedule(vring->queue.loop, &vring->again);
}

int vring_thread_open(struct vring_thread *thread, const char *name)
{
	char short_name[16];

	*thread = (struct vring_thread){ .pauses = 0 };
	if (worker_open(&thread->worker, on_settle))
		return -1;
	snprintf(short_name, sizeof short_name, "%s", name);
	if (worker_start(&thread->worker, short_name) == 0)
		return 0;
	worker_close(&thread->worker);
	return -1;
}

void vring_thread_close(struct vring_thread *thread)
{
	worker_stop(&thread->worker);
	worker_close(&thread->worker);
}

static bool has_own_thread(const struct vhost_vring *vring)
{
	return vring->thread == &vring->own_thread;
}

/* Hands the ring to its thread. */
static int hand_over(struct vhost_vring *vring)
{
	struct entry entry = { .vring = vring };
	char name[16];

	snprintf(name, sizeof name, "queue %u", vring->queue.index);
	if (has_own_thread(vring) && vring_thread_open(vring->thread, name)) {
		log_line("%s: queue %u: no thread: %s", vring->device->name, vring->queue.index, strerror(errno));
		return VIRTIO_EIO;
	}
	worker_call(&vring->thread->worker, take_on, &entry);
	if (entry.error && has_own_thread(vring))
		vring_thread_close(vring->thread);
	return entry.error;
}

static bool is_enabled(const struct vring_setup *setup, uint64_t features)
{
	if (setup->enable == VRING_ENABLE_UNSAID)
		return !has_feature(features, VHOST_USER_F_PROTOCOL_FEATURES);
	return setup->enable == VRING_ENABLE_ON;
}

bool vring_can_start(const struct vhost_vring *vring, const struct shared_memory *memory, uint64_t features)
{
	const struct vring_setup *setup = &vring->setup;

	return !vring->running && !atomic_load(&vring->broken) && !setup->held && setup->size > 0 && setup->addressed &&
	       vring->kick_fd >= 0 && memory && is_enabled(setup, features);
}

/* Lets the ring's thread serve the queue, which must be started. */
static int run_ring(struct vhost_vring *vring, const struct shared_memory *memory)
{
	int error;

	vring->memory = memory;
	error = hand_over(vring);
	if (error)
		virtio_queue_reset(&vring->queue.virtq);
	else
		vring->running = true;
	return error;
}

int vring_start(struct vhost_vring *vring, const struct shared_memory *memory, uint64_t features)
{
	struct virtio_queue_config config;
	int error = vring_resolve(vring, memory, features, &config);

	if (!error)
		error = make_room(vring);
	if (!error)
		error = start_queue(vring, &config, memory);
	vring->queue.continued = false;
	return error ? error : run_ring(vring, memory);
}

int vring_continue(struct vhost_vring *vring, const struct virtio_queue_state *state,
		   const struct shared_memory *memory)
{
	int error = make_room(vring);

	if (!error)
		error = virtio_queue_restore(&vring->queue.virtq, state, &memory->map);
	vring->queue.continued = true;
	if (!error)
		error = run_ring(vring, memory);
	/* Keep the position. The front end can ask for it, and start the ring there again. */
	if (error)
		vring->setup.base = state->next_avail;
	return error;
}

/* Gives the ring back to the control thread. Ends own_thread if that thread has served the ring. */
static void halt(struct vhost_vring *vring)
{
	worker_call(&vring->thread->worker, let_go, vring);
	if (has_own_thread(vring)) {
		vring_thread_close(vring->thread);
		vring->paused = false;
	}
	vring->running = false;
	vring->memory = NULL;
	vring->setup.base = virtio_queue_next_avail(&vring->queue.virtq);
	virtio_queue_reset(&vring->queue.virtq);
}

bool vring_runs(struct vhost_vring *vring)
{
	if (vring->running && atomic_load(&vring->broken))
		halt(vring);
	return vring->running;
}

void vring_stop(struct vhost_vring *vring)
{
	if (vring->running)
		halt(vring);
	atomic_store(&vring->broken, false);
}

void vring_disconnect(struct vhost_vring *vring)
{
	vring_stop(vring);
	drop_kick(vring);
}

/*
 * Called when the front end changes the set-up of a running ring. The guest then has a new driver,
 * which the front end has not announced. Old and new settings must not be mixed, so the ring waits
 * for the end of the set-up. A new driver begins at index 0.
 */
static void make_room_for_new_driver(struct vhost_vring *vring)
{
	vring_stop(vring);
	vring->setup.base = 0;
	vring->setup.held = true;
}

int vring_set_size(struct vhost_vring *vring, uint32_t size)
{
	if (size == 0 || size & (size - 1) || size > vring->device->max_queue_size)
		return VIRTIO_ESIZE;
	if (vring_runs(vring) && size != vring->setup.size)
		make_room_for_new_driver(vring);
	vring->setup.size = (uint16_t)size;
	return 0;
}

int vring_set_addr(struct vhost_vring *vring, const uint64_t addr[3])
{
	struct vring_setup *setup = &vring->setup;
	struct virtio_queue_config config = { .ready = false };

	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED; i++)
		if (virtio_queue_config_set_addr(&config, (enum virtio_queue_area)i, addr[i]))
			return VIRTIO_EALIGN;
	if (vring_runs(vring) && memcmp(addr, setup->addr, sizeof setup->addr) != 0)
		make_room_for_new_driver(vring);
	memcpy(setup->addr, addr, sizeof setup->addr);
	setup->addressed = true;
	return 0;
}

int vring_set_base(struct vhost_vring *vring, uint32_t base)
{
	if (base > UINT16_MAX)
		return VIRTIO_EINVAL;
	if (vring_runs(vring) && base != vring->setup.base)
		make_room_for_new_driver(vring);
	vring->setup.base = (uint16_t)base;
	return 0;
}

void vring_set_enable(struct vhost_vring *vring, bool on)
{
	vring->setup.enable = on ? VRING_ENABLE_ON : VRING_ENABLE_OFF;
	if (on)
		vring->setup.held = false;
	else
		vring_stop(vring);
}

/* Pausing */

bool vring_try_pause(struct vhost_vring *vring, const struct timespec *end)
{
	if (!vring_runs(vring))
		return true;
	if (vring->thread->pauses == 0 && !worker_try_pause(&vring->thread->worker, end))
		return false;
	vring->paused = true;
	vring->thread->pauses++;
	(void)vring_runs(vring);
	return true;
}

void vring_pause(struct vhost_vring *vring)
{
	if (!vring_runs(vring))
		return;
	vring->paused = true;
	if (vring->thread->pauses++ == 0)
		worker_pause(&vring->thread->worker);
	(void)vring_runs(vring);
}

void vring_resume(struct vhost_vring *vring)
{
	if (!vring->paused)
		return;
	vring->paused = false;
	if (--vring->thread->pauses == 0)
		worker_resume(&vring->thread->worker);
}

int vring_switch_memory(struct vhost_vring *vring, const struct shared_memory *memory)
{
	int error;

	if (!vring->running)
		return 0;
	error = virtio_queue_set_memory(&vring->queue.virtq, &memory->map);
	if (error)
		return error;
	vring->memory = memory;
	/* Nothing was in flight, so the old memory can be unmapped. */
	assert(virtio_queue_old_maps_unused(&vring->queue.virtq));
	return 0;
}

/* Handing over to another process */

int vring_save(const struct vhost_vring *vring, struct vring_state *out)
{
	*out = (struct vring_state){ .setup = vring->setup, .running = vring->running };
	out->broken = atomic_load(&vring->broken);
	out->polled = vring->polled && vring->kick_fd >= 0;
	return vring->running ? virtio_queue_save(&vring->queue.virtq, &out->queue) : 0;
}

int vring_restore(struct vhost_vring *vring, const struct vring_state *state, int kick, int call, int err)
{
	vring->setup = state->setup;
	atomic_store(&vring->broken, state->broken);
	vring->polled = state->polled;
	vring->kick_fd = state->polled ? vring_poll_timer() : kick;
	vring->call = vring_signal_restore(call);
	vring->err = vring_signal_restore(err);
	return state->polled && vring->kick_fd < 0 ? VIRTIO_EIO : 0;
}

/* Life cycle */

void vring_open(struct vhost_vring *vring, struct device *device, uint16_t index, struct vring_thread *thread,
		int damaged_fd)
{
	memset(vring, 0, sizeof *vring);
	vring->kick = (struct event_source){ .fd = -1, .ready = on_kick };
	vring->again.run = on_again;
	vring->device = device;
	vring->queue.index = index;
	vring->thread = thread ? thread : &vring->own_thread;
	vring->damaged_fd = damaged_fd;
	vring->kick_fd = -1;
	vring->call.fd = -1;
	vring->err.fd = -1;
}

void vring_close(struct vhost_vring *vring)
{
	const struct vring_signal none = { .fd = -1 };

	vring_disconnect(vring);
	vring_signal_replace(&vring->call, &none);
	vring_signal_replace(&vring->err, &none);
	count_faults(vring);
	free(vring->inflight);
}
