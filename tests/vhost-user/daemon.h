/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Runs the daemon under test as a process in a temporary folder with a disk image, and reads its
 * output. The daemon's path is the test program's first argument, or $VIRTIO_VHOST_USER.
 *
 * If the second argument is "io_uring", the daemon's disks use io_uring. Such a test is skipped if
 * the system has no io_uring. If only the daemon lacks io_uring, such a test is skipped, or fails
 * with VIRTIO_REQUIRE_GUESTS set.
 *
 * The daemon dies with the test program. If either program hangs, the watchdog ends the test
 * program (tests/common/watchdog.h). Each reply that these functions or the functions of
 * front_end.h receive counts as progress.
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
	FILE *out;       /* the daemon's stdout */
	char folder[64]; /* temporary folder, made by daemon_folder() */
	char image[96];  /* a disk full of zeroes, in the folder */
	char second[96]; /* path of the second disk, or of another file */
	char socket[96];
	char other[96];    /* socket of the second disk */
	char errors[96];   /* the file that gets the daemon's stderr */
	int pass_fd;       /* 0, or a descriptor that the daemon inherits as descriptor 3 */
	bool listen_fds;   /* LISTEN_FDS announces the inherited descriptor */
	char summary[512]; /* the last line on stdout, stored by daemon_stop() */
};

/* Finds the daemon's path, and starts the watchdog. main() must call this. */
void daemon_find(int argc, char **argv);

/* daemon_folder() makes the temporary folder and the image. daemon_run() runs the daemon. */
void daemon_folder(struct daemon_process *daemon);
void daemon_run(struct daemon_process *daemon, const char *const *arguments);

/*
 * daemon_run_program() does the same as daemon_run(), with another program. daemon_program()
 * returns the daemon's path. daemon_aio() returns ",aio=io_uring" if disks must use io_uring, else
 * "".
 */
void daemon_run_program(struct daemon_process *daemon, const char *path, const char *const *arguments);
const char *daemon_program(void);
const char *daemon_aio(void);

/*
 * daemon_copy_program() makes a copy of the daemon, which a test can replace. daemon_write_script()
 * replaces such a copy by a script, or makes a script.
 */
void daemon_copy_program(const char *to);
void daemon_write_script(const char *path, const char *text);

/*
 * Sends SIGUSR1, and waits until the daemon continues with the first device. If the new program
 * refuses the state, the old program continues. Sends the signal again if the daemon abandons the
 * update because the system is too slow.
 */
void daemon_update(struct daemon_process *daemon);

/*
 * Ends the daemon so that its state is in the file `state`. DAEMON_ENDS sends SIGTERM. DAEMON_DIES
 * makes an update, which writes the file, and then sends SIGKILL. A front end may stay connected
 * until the daemon ends.
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

/* Does the same as daemon_start(), but with two disks, whose sockets are `socket` and `other`. */
void daemon_start_two(struct daemon_process *daemon);

/*
 * These functions do the same as daemon_start() and daemon_start_two(), but in an existing folder.
 */
void daemon_start_again(struct daemon_process *daemon, const char *options);
void daemon_start_two_again(struct daemon_process *daemon);

/* Reads a line of the daemon's output. Returns whether it equals `line`. */
bool daemon_says(struct daemon_process *daemon, const char *line);

/* Sends `signal` unless `signal` is 0. Waits until the daemon ends, and returns its exit status. */
int daemon_stop(struct daemon_process *daemon, int signal);

/*
 * Reads from stderr what the daemon has written so far, at most `size` - 1 bytes. Returns the
 * number of lines. Omits the message that io_uring fails, because on some systems this message can
 * appear at any time.
 */
unsigned int daemon_errors(const struct daemon_process *daemon, char *text, size_t size);

/*
 * daemon_open_files() returns the number of the daemon's open descriptors plus 2, for comparisons
 * only. daemon_mappings() returns the number of the daemon's mappings of front ends' memory.
 */
unsigned int daemon_open_files(const struct daemon_process *daemon);
unsigned int daemon_mappings(const struct daemon_process *daemon);

/*
 * Waits until the daemon has `count` threads for queues. The system may show an ended thread for a
 * moment.
 */
void daemon_await_queues(const struct daemon_process *daemon, unsigned int count);

/*
 * Waits until the thread whose name begins with `thread` sleeps. Never returns if the thread is
 * always busy.
 */
void daemon_await_sleep(const struct daemon_process *daemon, const char *thread);

/* Returns whether a queue's thread is in the system call write(). */
bool daemon_queue_writes(const struct daemon_process *daemon);

/*
 * Stops the thread of queue 0 wherever it is. Returns the thread, or 0 if the system does not
 * permit the stop.
 */
pid_t daemon_halt_queue(const struct daemon_process *daemon);
void daemon_release_queue(pid_t thread);

/* Removes the folder, its images, and the file of a saved state, "state" or "state.used". */
void daemon_remove_folder(const struct daemon_process *daemon);

/*
 * Ends the daemon with SIGTERM, checks that its status is 0 and its socket is gone, and removes the
 * folder.
 */
void daemon_finish(struct daemon_process *daemon);

#endif
