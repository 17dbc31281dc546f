/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The daemon under test, as a process: started in a temporary folder with a disk image, asked to
 * end, and its output. Its path is the test program's argument, or $VIRTIO_VHOST_USER. With a
 * second argument, "io_uring", its disks use that. Where the system has none, the test is skipped;
 * where it has, and the daemon was built without, it fails if VIRTIO_REQUIRE_GUESTS is set, and is
 * skipped otherwise.
 *
 * It dies with the test program, and the watchdog ends the test program if either hangs
 * (tests/common/watchdog.h). Each answer of the daemon to these functions, and to those of the
 * front end, counts as progress.
 */
#ifndef DAEMON_H
#define DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define IMAGE_BYTES (1024 * 1024)

struct daemon_process {
	pid_t pid;
	FILE *out;       /* its stdout */
	char folder[64]; /* temporary, made by daemon_folder() */
	char image[96];  /* a disk of zeros, in the folder */
	char second[96]; /* the second disk; or NULL */
	char socket[96];
	char other[96];    /* socket of the second disk */
	char errors[96];   /* the file that gets the daemon's stderr */
	int pass_fd;       /* 0, or a descriptor that the daemon inherits as 3 */
	bool listen_fds;   /* the inherited descriptor is announced by LISTEN_FDS */
	char summary[512]; /* after daemon_stop(): the last line on stdout */
};

/* Remembers where the daemon is, and starts the watchdog. To be called by main(). */
void daemon_find(int argc, char **argv);

/* daemon_folder() makes the temporary folder and the image. daemon_run() runs the daemon. */
void daemon_folder(struct daemon_process *daemon);
void daemon_run(struct daemon_process *daemon, const char *const *arguments);

/*
 * daemon_run_program() runs another program in the same way. daemon_program() returns the daemon's
 * path, and daemon_aio() the option that says how its disks do I/O.
 */
void daemon_run_program(struct daemon_process *daemon, const char *path, const char *const *arguments);
const char *daemon_program(void);
const char *daemon_aio(void);

/* Makes a copy of the daemon that a test can replace, and a script in its place. */
void daemon_copy_program(const char *to);
void daemon_write_script(const char *path, const char *text);

/*
 * Sends SIGUSR1, and waits until the new process goes on with the first device. Sends the signal
 * again if the daemon has given up because the system is too slow.
 */
void daemon_update(struct daemon_process *daemon);

/*
 * Ends the daemon so that its state is in the file `state`: with SIGTERM; or with SIGKILL after an
 * update, which has written the file. The front end stays connected until then.
 */
enum daemon_end {
	DAEMON_ENDS,
	DAEMON_DIES,
	DAEMON_WAYS,
};

void daemon_end(struct daemon_process *daemon, enum daemon_end how);

/* Waits until the daemon has written these words to stderr. */
void daemon_await_error(const struct daemon_process *daemon, const char *expected);

/* Waits until the daemon listens on its first socket. */
void daemon_expect_listening(struct daemon_process *daemon);

/*
 * Makes a folder and runs the daemon with one disk: --blk image,socket=socket, and then `options`.
 * Returns when the daemon listens.
 */
void daemon_start(struct daemon_process *daemon, const char *options);

/* The same with two disks, whose sockets are `socket` and `other`. */
void daemon_start_two(struct daemon_process *daemon);

/* The same as daemon_start(), in an existing folder. */
void daemon_start_again(struct daemon_process *daemon, const char *options);
void daemon_start_two_again(struct daemon_process *daemon);

/* Reads a line of the daemon's output. Returns whether it is this line. */
bool daemon_says(struct daemon_process *daemon, const char *line);

/* Sends a signal, if it isn't 0. Waits for the daemon's end, and returns its exit status. */
int daemon_stop(struct daemon_process *daemon, int signal);

/*
 * What the daemon has written to stderr so far, at most `size` - 1 bytes. Returns the number of
 * lines. Leaves out the line that says that io_uring can't be used: some systems always cause that
 * line, at any time.
 */
unsigned int daemon_errors(const struct daemon_process *daemon, char *text, size_t size);

/*
 * Return the number of the daemon's open descriptors, and of its mappings of a front end's memory.
 */
unsigned int daemon_open_files(const struct daemon_process *daemon);
unsigned int daemon_mappings(const struct daemon_process *daemon);

/* Waits until the daemon has so many threads for queues. Ended threads may show for a moment. */
void daemon_await_queues(const struct daemon_process *daemon, unsigned int count);

/*
 * Waits until the thread whose name begins with @thread sleeps. Never returns if the thread is
 * always busy.
 */
void daemon_await_sleep(const struct daemon_process *daemon, const char *thread);

/* Whether a queue's thread is in the system call write() right now. */
bool daemon_queue_writes(const struct daemon_process *daemon);

/*
 * Stops the thread of queue 0, in the middle of whatever it does. Returns the thread, or 0 if the
 * system doesn't permit that.
 */
pid_t daemon_halt_queue(const struct daemon_process *daemon);
void daemon_release_queue(pid_t thread);

/* Also removes the file of a saved state, which is called "state" or "state.used". */
void daemon_remove_folder(const struct daemon_process *daemon);

/* The usual end: SIGTERM, status 0, socket gone; then the folder is removed. */
void daemon_finish(struct daemon_process *daemon);

#endif
