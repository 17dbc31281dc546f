/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The host's end of a console port: a descriptor to read input from, a descriptor to write output
 * to, and a bounded buffer of output. Each kind of end (console_pty.c, console_socket.c,
 * console_file.c, console_tty.c) provides the descriptors, and may close and open them at any time.
 *
 *   output  waits in the buffer until it can be written, also while there is no descriptor. After a
 *           failure, for example on a full disk, a timer leads to another attempt
 *   input   is read only if the port has room for it; otherwise the link waits for
 *           console_link_room()
 *
 * Threads: the functions that parse are called before any thread runs. All other functions are
 * called on the device's thread.
 */
#ifndef CONSOLE_LINK_H
#define CONSOLE_LINK_H

#include "console_output.h"
#include "event_sources.h"
#include "handover.h"
#include "unix_listener.h"

#include <termios.h>

struct console_link;

/* The link's calls to its port. */
struct console_link_events {
	size_t (*input_room)(struct console_link *link); /* bytes that input() can accept now */
	void (*input)(struct console_link *link, const uint8_t *bytes, size_t len);
	/*
	 * Returns whether the port is open in the guest. If so, the guest takes input as soon as it
	 * has a buffer.
	 */
	bool (*takes_input)(struct console_link *link);
	/*
	 * Fills the guest's buffers with input now, without waiting for the queue's turn. Returns
	 * the number of bytes that still wait for the guest.
	 */
	size_t (*deliver)(struct console_link *link);
	/* Called when there is room again, after console_link_put() has accepted only a part. */
	void (*output_room)(struct console_link *link);
	/*
	 * A client has connected, or has left. A kind of end that has no clients, such as a file,
	 * counts as connected while it is open.
	 */
	void (*connected)(struct console_link *link, bool is);
	void (*resized)(struct console_link *link, uint16_t cols, uint16_t rows);
};

/*
 * A kind of end. open() and close() must exist, and input_ended() too if the end has input. All
 * other operations may be NULL.
 */
struct console_link_ops {
	/* Returns 0; or -1 after printing why not, with nothing to close. */
	int (*open)(struct console_link *link);
	void (*close)(struct console_link *link);
	void (*refresh)(struct console_link *link);  /* called on SIGHUP */
	void (*attached)(struct console_link *link); /* a front end uses the device */
	void (*detached)(struct console_link *link); /* the front end has left */
	/* Called when the operator has changed the port's size. */
	void (*resize)(struct console_link *link, uint16_t cols, uint16_t rows);
	/* May change or remove bytes of the input. Returns the number of bytes that remain. */
	size_t (*filter)(struct console_link *link, uint8_t *bytes, size_t len);
	/*
	 * Called at the end of the input, or after a failure to read. Called again when the port
	 * has room. If input_ended() watches for a hang-up with EVENT_EDGE, a hang-up also leads to
	 * another call.
	 */
	void (*input_ended)(struct console_link *link);
	/*
	 * Called after reading has stopped because the port has no room. If input_blocked() watches
	 * for a hang-up with EVENT_EDGE, a hang-up leads to another call.
	 */
	void (*input_blocked)(struct console_link *link);
	/*
	 * Called after a failure to write because nobody reads any more. After other failures, and
	 * if reader_left is NULL, the link itself tries again later.
	 */
	void (*reader_left)(struct console_link *link);
};

/* Options from the command line. */
struct console_link_options {
	const struct console_link_ops *ops;
	const char *path;                   /* path of a file or socket, or NULL */
	const char *symlink;                /* link= of a pty, or NULL */
	struct unix_listener_access access; /* who may connect to a socket */
	bool waits;                         /* full=wait */
	int escape;                         /* escape key of a terminal: a byte, or -1 for none */
	uint16_t cols, rows;                /* value of size=; both 0 without size= */
};

struct console_link {
	const struct console_link_events *events;
	struct console_link_options options;
	const char *name; /* the port's name, for messages */
	char handle[176]; /* for the names of descriptors that are handed over */
	struct event_loop *loop;
	struct event_source in, out; /* fd is -1 for none; `in` and `out` never share an fd */
	struct event_task read_on;   /* reads a file, for which the loop can't wait */
	bool taken_over;             /* the old process had the end open */
	bool is_file;
	bool in_is_socket, out_is_socket;
	bool input_ended; /* nothing more is read */
	bool drops;       /* a full buffer drops its oldest bytes */
	bool wants_room;  /* the port waits for a call of output_room() */
	struct console_output output;
	struct event_timer retry; /* set while output waits for the next attempt to write it */
	/*
	 * Seconds of the last delay before another attempt to write. 0 if no attempt has failed, or
	 * if all output was written since the failure. 1 if only a part was written.
	 */
	unsigned int retry_seconds;
	bool retry_waits;       /* console_link_flush() writes nothing */
	uint64_t input_dropped; /* bytes that were dropped after their client had left */
	/* Members for the kinds of ends. */
	struct event_source listener, slave;
	int tty;
	struct termios settings; /* the terminal's settings while it is not raw */
	bool raw, escaped;
	bool told;        /* the user was told that the daemon is in the background */
	bool attached;    /* for a terminal: a front end uses the device */
	bool holds_input; /* nothing is read, whether or not the port has room */
	/*
	 * For a terminal: time of the next check whether the daemon is in the foreground. For a
	 * socket: time to accept clients again.
	 */
	struct event_timer later;
	bool next_waits;     /* a client waits while the guest takes the last client's input */
	uint16_t cols, rows; /* size of the pty when it was last read or set */
	char target[64];
	struct unix_listener_file socket;
};

/*
 * Parses "tty", "pty", "unix=PATH" or "file=PATH".
 *
 * @spec  stays in use
 *
 * Returns 0, or -1 after printing what is wrong.
 */
int console_link_parse(const char *spec, struct console_link_options *options);

/*
 * Opens the end. `events`, `options`, `name`, `handle` and `drops` must be set. Returns 0, or -1
 * after printing why not.
 */
int console_link_open(struct console_link *link, struct event_loop *loop);
void console_link_close(struct console_link *link);
void console_link_refresh(struct console_link *link);
void console_link_attached(struct console_link *link, bool is);

/* Tells the end the size that the operator has given the port. Only a pty uses the size. */
void console_link_resize(struct console_link *link, uint16_t cols, uint16_t rows);

/*
 * Hands over the descriptors of an open end. Changes nothing. If another process continues with the
 * end, this process must not close the end. Returns 0, or -1 with errno.
 */
int console_link_hand_over(struct console_link *link, struct handover *handover);

/*
 * Returns whether the old process had the end open. If so, console_link_open() continues with that
 * end.
 */
bool console_link_was_open(const struct console_link *link);

/* Drops the output in the buffer, and counts the dropped bytes. */
void console_link_drop_output(struct console_link *link);

/*
 * Add output to the buffer, which console_link_flush() writes. put() and put_rest() return the
 * number of bytes accepted. put_rest() is for the rest of a chain, and uses the reserve. put_last()
 * is for emergency writes. It accepts all bytes, and drops the oldest bytes to make room.
 */
size_t console_link_put(struct console_link *link, const void *bytes, size_t len);
size_t console_link_put_rest(struct console_link *link, const void *bytes, size_t len);
void console_link_put_last(struct console_link *link, const void *bytes, size_t len);
void console_link_flush(struct console_link *link);

/* Writes restored output as soon as the device's thread runs. */
void console_link_flush_soon(struct console_link *link);

/*
 * Tells the link that the port has room for input again, or that the guest has begun or ceased to
 * take input.
 */
void console_link_room(struct console_link *link);

/* For the kinds of ends. */

/*
 * Begins to use a descriptor for both directions. console_link_detach() closes the descriptor.
 * Returns 0, or -1 with errno.
 */
int console_link_attach(struct console_link *link, int fd);

/* Does the same with a descriptor for each direction. */
int console_link_attach_two(struct console_link *link, int in, int out);

/* Returns a descriptor of the old process, by its name; -1 if there is no such descriptor. */
int console_link_take(const struct console_link *link, const char *name);

/* Stops reading until console_link_room() is called. */
void console_link_stop_input(struct console_link *link);

/* Closes the descriptor for output. Output waits for the next descriptor. */
void console_link_end_output(struct console_link *link);

/* Writes output that waits after a failure, without waiting for the timer. */
void console_link_write_again(struct console_link *link);

void console_link_detach(struct console_link *link);

/* Parse `tty` and its option. Return the same values as console_link_parse(). */
int console_tty_parse(struct console_link_options *options);
int console_tty_escape(const char *text, struct console_link_options *options);

extern const struct console_link_ops console_tty_ops;
extern const struct console_link_ops console_pty_ops;
extern const struct console_link_ops console_socket_ops;
extern const struct console_link_ops console_file_ops;

#endif
