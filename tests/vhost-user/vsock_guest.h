/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A guest with a socket device, for tests of the daemon: the driver, packet by packet, and the
 * host's sockets.
 */
#ifndef VSOCK_GUEST_H
#define VSOCK_GUEST_H

#include "daemon.h"
#include "rings.h"

#include <virtio/vsock_connection.h>

#define VSOCK_PAYLOAD (REQUEST_BYTES - VIRTIO_VSOCK_HEADER_BYTES) /* payload of a full buffer */
#define VSOCK_BUFFER 16384u                                       /* buffer bytes per connection */
#define VSOCK_RINGS 3u
#define SEQPACKET FEATURE(VIRTIO_VSOCK_F_SEQPACKET)
#define VSOCK_FEATURES (SEQPACKET | FEATURE(VIRTIO_VSOCK_F_STREAM) | FEATURE(VIRTIO_VSOCK_F_NO_IMPLIED_STREAM))

struct vsock_guest {
	struct front_end fe;
	struct ring rings[VSOCK_RINGS];
	unsigned int ring_count;
	uint32_t cid;
	bool posted; /* a receive buffer is available */
};

/* The guest's side of a connection. */
struct vsock_peer {
	struct vsock_guest *guest;
	uint32_t port, peer_cid, peer_port;
	uint16_t type;
	uint32_t buf_alloc, fwd_cnt; /* sent in the guest's packets */
};

struct vsock_message {
	struct virtio_vsock_hdr header;
	uint32_t len;
	uint8_t bytes[VSOCK_PAYLOAD];
};

/* The path for the option uds=, in the daemon's folder. */
extern char vsock_path[80];

/*
 * Makes the folder, and runs a daemon with one device, cid 3. `options` is empty, or begins with a
 * comma. Returns when the daemon listens.
 */
void vsock_start(struct daemon_process *daemon, const char *options);

/* Stops the daemon, and checks that its summary contains these words. */
void vsock_finish(struct daemon_process *daemon, const char *words);

/* Attaches a front end with two or three rings, for a driver that begins anew. */
void vsock_attach(struct vsock_guest *guest, const char *socket, uint32_t cid, unsigned int rings);
void vsock_detach(struct vsock_guest *guest);

/* Does the same as vsock_attach(), but does not open the rings. */
void vsock_attach_stopped(struct vsock_guest *guest, const char *socket, uint32_t cid, unsigned int rings);

/*
 * Connects another front end for the same guest. The driver continues with `rings` rings. Nothing
 * may be in flight.
 */
void vsock_move(struct vsock_guest *guest, const char *socket, unsigned int rings);

/* Sends a packet, and waits until the device has used the packet's buffer. */
void vsock_send(const struct vsock_peer *peer, uint16_t op, uint32_t flags, const void *bytes, uint32_t len);

/*
 * vsock_submit() does the same as vsock_send(), but does not wait. vsock_reap() waits until the
 * device has used the buffer of one packet.
 */
void vsock_submit(const struct vsock_peer *peer, uint16_t op, uint32_t flags, const void *bytes, uint32_t len);
void vsock_reap(struct vsock_guest *guest);

/* Receives the next packet. */
void vsock_receive(struct vsock_guest *guest, struct vsock_message *message);

/*
 * Receives a packet. Checks that it belongs to this connection and has this operation. Skips credit
 * updates unless `op` is VIRTIO_VSOCK_OP_CREDIT_UPDATE.
 */
void vsock_expect(const struct vsock_peer *peer, uint16_t op, struct vsock_message *message);

/* Checks that the device sends nothing now. */
void vsock_expect_nothing(struct vsock_guest *guest);

/*
 * Receives data on the connection, in any number of packets. Adds the length of each packet to
 * `fwd_cnt` when the packet arrives.
 */
void vsock_expect_data(struct vsock_peer *peer, const void *bytes, size_t len);

/* Connects the guest to a port of the host. Returns false if the host refuses the connection. */
bool vsock_connect(struct vsock_peer *peer, struct vsock_guest *guest, uint16_t type, uint32_t port);

/* Accepts the device's request for a connection to a port. */
void vsock_accept(struct vsock_peer *peer, struct vsock_guest *guest, uint32_t port);

/* The host's sockets; `suffix` follows vsock_path. */
int host_listen(const char *suffix, int type, int backlog);
int host_accept(int listener);
int host_connect(const char *suffix, int type);
void host_send(int fd, const void *bytes, size_t len);
void host_expect(int fd, const void *bytes, size_t len);

/* Checks that the other side has closed the socket, or shut down its sending direction. */
void host_expect_end(int fd);

/* Fails if anything can be read now. */
void host_expect_nothing(int fd);

/* Reads "OK PORT\n", and returns the port. */
uint32_t host_expect_ok(int fd);

/* A daemon with one guest of three rings. vsock_set_up() starts the daemon and the guest. */
struct vsock_pair {
	struct daemon_process daemon;
	struct vsock_guest guest;
};

void vsock_set_up(struct vsock_pair *p, const char *options);
void vsock_tear_down(struct vsock_pair *p, const char *words);

/*
 * vsock_open_to_host() opens a stream from the guest to the host's port 80. vsock_open_to_guest()
 * opens a stream from the host to the guest's port 22. Both functions return the host's socket.
 */
int vsock_open_to_host(struct vsock_pair *p, struct vsock_peer *peer);
int vsock_open_to_guest(struct vsock_pair *p, struct vsock_peer *peer);

#endif
