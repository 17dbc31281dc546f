/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * An entropy device: random bytes of the host's for the guest. The smallest complete device on the
 * device core. Copy it to begin another device.
 *
 * It knows neither transport nor VMM. The VMM passes register accesses on to rng.device
 * (<virtio/mmio.h>) and gives two callbacks, by which the device interrupts the guest and asks for
 * another turn.
 *
 * What the guest can do: make buffers of any size available, without end. One buffer gets
 * RNG_REQUEST_BYTES at most, and one turn serves RNG_TURN of them; then others have their turn.
 *
 * Threads: everything is serialised by the VMM with the register accesses.
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
	 * As the operation of the same name in struct virtio_device_ops. For MSI-X, a VMM chooses
	 * the vector by cause and queue.
	 */
	void (*interrupt)(void *context, enum virtio_interrupt cause, uint16_t queue, bool level);
	/*
	 * Call rng_run() soon, but not from here: there are buffers left, perhaps a buffer that is
	 * not mapped yet.
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
	uint64_t bytes; /* given to the guest; for the operator */
};

/*
 * Makes a device.
 *
 * @rng     the caller's, who neither moves nor copies it
 * @host    copied
 * @memory  the guest's, or NULL until rng_set_memory()
 *
 * Returns 0, or an error of virtio_device_init().
 */
VIRTIO_MUST_CHECK
int rng_init(struct rng *rng, const struct rng_host *host, const struct virtio_memory_map *memory);

/* Another map of the guest's memory. When this returns, the old one isn't used any more. */
void rng_set_memory(struct rng *rng, const struct virtio_memory_map *memory);

/*
 * A turn: serves what the guest asks for, up to a bound. Does nothing while the device is not
 * active.
 */
void rng_run(struct rng *rng);

#endif
