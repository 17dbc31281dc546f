/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * An entropy device: it gives the guest random bytes of the host. This is the smallest complete
 * device on the device core. Copy it to begin another device.
 *
 * The device depends on no transport and no VMM. The VMM passes register accesses on to rng.device
 * (<virtio/mmio.h>). The device has two callbacks into the VMM. One callback interrupts the guest,
 * and the other callback asks for another turn.
 *
 * What the guest can do: make buffers of any size available, without end. A request gets at most
 * RNG_REQUEST_BYTES, and a turn serves at most RNG_TURN requests. Then other devices have a turn.
 *
 * Threads: the VMM must serialise all calls with the register accesses.
 *
 * virtio 1.4, 5.4
 */
#ifndef RNG_H
#define RNG_H

#include <virtio/device_queues.h>

#define RNG_QUEUE_SIZE 64
/* A buffer may cross from one region of guest memory to the next. */
#define RNG_SEGMENTS (2 * RNG_QUEUE_SIZE)
#define RNG_REQUEST_BYTES 65536u
#define RNG_TURN 16

/* What the device needs from its VMM. */
struct rng_host {
	/*
	 * Does what interrupt() of struct virtio_device_ops does. For MSI-X, a VMM chooses the
	 * vector by cause and queue.
	 */
	void (*interrupt)(void *context, enum virtio_interrupt cause, uint16_t queue, bool level);
	/*
	 * Called when buffers may remain, or when the ring or a buffer is not mapped yet. The VMM
	 * must call rng_run() soon, but not from within this call.
	 */
	void (*again)(void *context);
	void *context;
};

struct rng {
	struct virtio_device device;
	struct virtio_device_queues queues;
	struct virtio_queue_registers registers[1];
	struct virtio_queue queue;
	struct virtio_inflight inflight[RNG_QUEUE_SIZE];
	struct virtio_segment segments[RNG_SEGMENTS];
	struct rng_host host;
	uint64_t bytes; /* random bytes given to the guest; shown to the operator */
};

/*
 * Makes a device.
 *
 * @rng     the caller's. It must not be moved or copied.
 * @host    copied
 * @memory  the guest's, or NULL until rng_set_memory()
 *
 * Returns 0, or an error of virtio_device_queues_init() or virtio_device_init().
 */
VIRTIO_MUST_CHECK
int rng_init(struct rng *rng, const struct rng_host *host, const struct virtio_memory_map *memory);

/* Sets a new map of the guest's memory. When this returns, the old map is no longer used. */
void rng_set_memory(struct rng *rng, const struct virtio_memory_map *memory);

/*
 * Takes a turn: serves the guest's requests, up to a bound. Does nothing while the device is not
 * active.
 */
void rng_run(struct rng *rng);

#endif
