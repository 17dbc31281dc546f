/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A vhost-user front end, and the block driver of its guest, for tests of the daemon.
 * front_end_ask() and front_end_send() send any message, right or wrong. front_end_set_up() makes a
 * correct session, and the functions named block_... act as the driver.
 */
#ifndef FRONT_END_H
#define FRONT_END_H

#include "vhost_user.h"

#include <stdbool.h>
#include <sys/types.h>
#include <virtio/bindings/virtio_blk.h>
#include <virtio/queue_mock.h>

#define GUEST_ADDR UINT64_C(0x40000000)
#define USER_ADDR UINT64_C(0x7f1200000000)
#define GUEST_BYTES (UINT64_C(1) << 20)
#define RING_SIZE 64

/* The driver's buffers, as offsets into guest memory. The ring is at 0. */
#define HEADERS 0x8000u
#define STATUSES 0x9000u
#define DATA 0x10000u
#define DATA_BYTES 8192u

#define FEATURE(n) (UINT64_C(1) << (n))

struct front_end {
	int socket;
	int memory_fd;
	int kick; /* eventfd, like `call` and `err` */
	int call;
	int err;
	uint8_t *memory; /* GUEST_BYTES bytes */
	struct virtio_region region;
	struct virtio_memory_map map;
	struct virtio_mock mock;
	struct virtio_mock_slot slots[RING_SIZE];
};

/* Connects to the daemon, and makes guest memory and eventfds. */
void front_end_open(struct front_end *fe, const char *path);
void front_end_close(struct front_end *fe);

/*
 * Does the same as front_end_open(), but with a connected socket. The front end then owns the
 * socket.
 */
void front_end_attach(struct front_end *fe, int socket);

/*
 * Connects again, perhaps to another daemon. Copies the memory to another file. The driver fe->mock
 * continues. Afterwards call front_end_share_memory(), then ring_move() for each `struct ring`.
 */
void front_end_move(struct front_end *fe, const char *path);

/*
 * Sends header, payload and descriptors unchecked. Ignores an error, because the daemon may have
 * closed the connection.
 */
void front_end_send(struct front_end *fe, uint32_t request, uint32_t flags, const void *payload, uint32_t size,
		    const int *fds, unsigned int fd_count);

/*
 * Receives a reply to this request. Returns the size of the reply's payload, or -1 if the daemon
 * has closed the connection.
 */
int front_end_reply(struct front_end *fe, uint32_t request, void *payload, uint32_t size);

/* Sends a message with need_reply, and returns the acknowledgement: 0 for success. */
uint64_t front_end_ask(struct front_end *fe, uint32_t request, const void *payload, uint32_t size, const int *fds,
		       unsigned int fd_count);
uint64_t front_end_ask_u64(struct front_end *fe, uint32_t request, uint64_t value);
uint64_t front_end_ask_fd(struct front_end *fe, uint32_t request, uint64_t value, int fd);
uint64_t front_end_ask_state(struct front_end *fe, uint32_t request, uint32_t index, uint32_t num);

/* Sends GET_FEATURES or a similar request, and returns the value. */
uint64_t front_end_get_u64(struct front_end *fe, uint32_t request);

/* Waits until the daemon closes the connection. Ignores what the daemon sends before. */
void front_end_expect_end(struct front_end *fe);

/* Every request that the daemon knows, with its correct size and number of descriptors. */
struct front_end_request {
	uint32_t request;
	uint32_t size;
	unsigned int fds;
};

#define FRONT_END_REQUESTS 19

extern const struct front_end_request front_end_requests[FRONT_END_REQUESTS];

/*
 * Makes a payload of the right form for this request, in a buffer of VHOST_USER_MAX_PAYLOAD bytes.
 * The daemon refuses some of the values, such as the ring size 0.
 */
void front_end_fill_payload(uint32_t request, uint8_t *payload);

/* Returns a correct memory table: two adjacent regions. */
struct vhost_user_memory front_end_table(void);
uint64_t front_end_ask_table(struct front_end *fe, const struct vhost_user_memory *table);

/* Returns the mock driver's ring addresses in the front end's address space. */
struct vhost_user_vring_addr front_end_addr(const struct front_end *fe);

/*
 * The steps of a set-up. front_end_negotiate() adds `features` to VERSION_1, FLUSH and
 * PROTOCOL_FEATURES.
 */
void front_end_negotiate(struct front_end *fe, uint64_t features);

/* Does the same as front_end_negotiate(), for a device of any type, without adding FLUSH. */
void front_end_negotiate_type(struct front_end *fe, uint64_t features);
void front_end_share_memory(struct front_end *fe);
void front_end_set_ring(struct front_end *fe, uint16_t base);
void front_end_start_ring(struct front_end *fe);

/* Runs all steps of a set-up. */
void front_end_set_up(struct front_end *fe, uint64_t features);

/* The driver */

/* Returns the driver's data buffer, of DATA_BYTES bytes. */
uint8_t *block_data(struct front_end *fe);

/* Carries out one request with `len` bytes of block_data(), and returns its status. */
uint8_t block_io(struct front_end *fe, uint32_t type, uint64_t sector, uint32_t len);

/*
 * These functions do what block_io() does, but in steps and with several requests at a time.
 * Request n, below 32, has its own header and status. All requests share the data.
 */
void block_submit(struct front_end *fe, unsigned int n, uint32_t type, uint64_t sector, uint32_t len);
void block_kick(struct front_end *fe);
void block_wait(struct front_end *fe, unsigned int count);
uint8_t block_status(const struct front_end *fe, unsigned int n);

/* Fills a sector with `byte`, flushes, reads the sector back, and compares. */
void block_write_and_read(struct front_end *fe, uint64_t sector, uint8_t byte);

/* Starts a process that acts as a guest, and reads the disk until the caller kills the process. */
pid_t block_busy_guest(struct front_end *fe);

/* Runs a whole correct session, and ends it correctly. */
void front_end_good_session(const char *path, uint8_t byte);

#endif
