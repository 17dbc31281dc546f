/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A guest's console for tests of the daemon: the driver, and the clients on the host. Each byte of
 * a test's stream depends on its position, so a lost or repeated byte is found.
 */
#ifndef CONSOLE_GUEST_H
#define CONSOLE_GUEST_H

#include "daemon.h"
#include "rings.h"

#include <virtio/bindings/virtio_console.h>

#define PIECE 512u  /* size of a buffer in bytes */
#define KEPT 65536u /* bytes of output that the daemon keeps for a client */
#define MULTIPORT FEATURE(VIRTIO_CONSOLE_F_MULTIPORT)

/* The queues of a console and one more port. */
enum queue { RECEIVE, TRANSMIT, CONTROL_RECEIVE, CONTROL_TRANSMIT, PORT_RECEIVE, PORT_TRANSMIT, QUEUES };

struct console_guest {
	struct front_end fe;
	struct ring rings[QUEUES];
	unsigned int count;
};

/* Paths in the daemon's folder: the link to a pty, and the socket for clients. */
extern char console_link_path[128], console_client_path[128];

void console_set_paths(const struct daemon_process *daemon);

/* Starts the daemon. `options` is empty, or begins with a comma. */
void console_run(struct daemon_process *daemon, const char *backend, const char *options);
void console_await(struct daemon_process *daemon);

/* Starts the daemon with the back end tty, and with `fd` as its stdin. */
void console_start_tty(struct daemon_process *daemon, int fd, const char *options);
void console_await_tty(struct daemon_process *daemon);

/*
 * Starts the daemon with a socket for clients. If `port` is set, the socket is the port "data", and
 * the console is in a file. Otherwise the socket is the console.
 */
void console_start_socket(struct daemon_process *daemon, bool port);
void console_expect_refusal(struct daemon_process *daemon, const char *backend, const char *options, const char *words);
void console_attach(struct console_guest *guest, const struct daemon_process *daemon, uint64_t features);

/* Attaches a guest to a console with multiport=on and no other port. */
void console_attach_alone(struct console_guest *guest, const struct daemon_process *daemon, uint64_t features);
void console_detach(struct console_guest *guest);

/*
 * Offers a buffer with these bytes, or a buffer for input if `bytes` is NULL. Returns false if all
 * descriptors are in use.
 */
bool console_offer(struct ring *ring, const void *bytes, uint32_t len);

/*
 * Waits for a used buffer. Stores the address of the buffer's bytes, and returns the used length.
 */
uint32_t console_take(struct ring *ring, const uint8_t **bytes);
uint8_t console_byte(uint32_t place);

/*
 * Offers the stream's bytes from position `from` up to, but not including, position `to`. Stops
 * early if all descriptors are in use. Returns the position where the offered output ends.
 */
uint32_t console_offer_output(struct ring *ring, uint32_t from, uint32_t to);

/* Offers this part of the stream, and waits until the device has used all buffers of the ring. */
void console_output(struct ring *ring, uint32_t from, uint32_t to);

/* Waits for these bytes of input. */
void console_expect_input(struct ring *ring, const void *expected, uint32_t len);

/* Sends a control message of the driver. */
void console_say(struct console_guest *guest, uint32_t id, uint16_t event, uint16_t value);

/*
 * Waits for this control message of the device. `tail` is the text after the message's structure.
 */
void console_hear(struct console_guest *guest, uint32_t id, uint16_t event, uint16_t value, const char *tail);

/* Waits for a RESIZE of the console. */
void console_hear_size(struct console_guest *guest, uint16_t cols, uint16_t rows);

/* Waits until the configuration space shows this size. */
void console_await_size(struct console_guest *guest, uint8_t cols, uint8_t rows);

/*
 * Exchanges the messages of a driver that starts. `has_client` is true if the port "data" has a
 * client.
 */
void console_set_ports_up(struct console_guest *guest, bool has_client);

/* Connects to the socket for commands, control=PATH. */
int console_operate(const char *path);

/* Reads the lines of an answer up to "ok", an error or the end of the connection. */
void console_read_answer(int fd, char *text, size_t size);

/* Sends a command, and reads the answer. */
void console_command(int fd, const char *command, char *text, size_t size);

int console_open_pts(const char *path);

/* Makes a terminal of 80 columns and 25 rows. Returns the master, and opens the slave. */
int console_open_terminal(int *slave);
int console_connect(void);
void console_expect_output(int fd, uint32_t from, uint32_t to);
void console_expect_no_output(int fd);
void console_type(int fd, const void *bytes, size_t len);

/* Waits until the file has all bytes, because a chain may complete before its output is written. */
void console_expect_file(const char *path, uint32_t from, uint32_t to);

#endif
