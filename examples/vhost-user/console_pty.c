/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A pseudo-terminal. The daemon keeps the slave open, too. So when the last user leaves, the
 * settings stay, reading from the master does not fail, and the kernel holds output for the next
 * reader.
 */
#include "console_link.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static int fail(const struct console_link *link, const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", link->name, what, strerror(errno));
	return -1;
}

static void close_slave(struct console_link *link)
{
	if (link->slave.fd < 0)
		return;
	(void)event_loop_want(link->loop, &link->slave, 0);
	close(link->slave.fd);
	link->slave.fd = -1;
}

static void on_slave(struct event_source *source);

static int watch_slave(struct console_link *link, int fd)
{
	link->slave = (struct event_source){ .fd = fd, .ready = on_slave };
	return fd < 0 ? -1 : event_loop_want(link->loop, &link->slave, EVENT_EDGE);
}

/* The slave is raw from the start. Otherwise an echo would return the guest's output as input. */
static int open_slave(struct console_link *link)
{
	struct termios settings;

	if (watch_slave(link, open(link->target, O_RDWR | O_NOCTTY | O_CLOEXEC)) ||
	    tcgetattr(link->slave.fd, &settings))
		return -1;
	cfmakeraw(&settings);
	return tcsetattr(link->slave.fd, TCSANOW, &settings);
}

/*
 * Replaces a symbolic link to a pty, even if that pty is in use. An earlier run of the daemon may
 * have left the link, and another program may have a pty of the same number now. Replaces no other
 * file.
 */
static int make_symlink(const struct console_link *link)
{
	static const char folder[] = "/dev/pts/";
	const char *path = link->options.symlink;
	char target[sizeof link->target];
	ssize_t len;

	if (!path)
		return 0;
	len = readlink(path, target, sizeof target);
	if (len >= (ssize_t)strlen(folder) && memcmp(target, folder, strlen(folder)) == 0 && unlink(path))
		return fail(link, path);
	return symlink(link->target, path) ? fail(link, path) : 0;
}

static void set_size(struct console_link *link, uint16_t cols, uint16_t rows)
{
	const struct winsize size = { .ws_col = cols, .ws_row = rows };

	link->cols = cols;
	link->rows = rows;
	(void)ioctl(link->slave.fd, TIOCSWINSZ, &size);
}

/* Linux reports a new size to the processes in the terminal, but not to the master. */
static void follow_size(struct console_link *link)
{
	struct winsize size;

	if (ioctl(link->slave.fd, TIOCGWINSZ, &size) || (size.ws_col == link->cols && size.ws_row == link->rows))
		return;
	link->cols = size.ws_col;
	link->rows = size.ws_row;
	link->events->resized(link, link->cols, link->rows);
}

/* Users set the terminal's size before they type, so the size is read when input arrives. */
static size_t filter(struct console_link *link, uint8_t *bytes, size_t len)
{
	(void)bytes;
	follow_size(link);
	return len;
}

/*
 * Continues with the old process's pty. The pty has its settings, symbolic link and size already.
 */
static int go_on(struct console_link *link)
{
	const int master = console_link_take(link, "in");

	if (watch_slave(link, console_link_take(link, "slave")) ||
	    ttyname_r(link->slave.fd, link->target, sizeof link->target) ||
	    (master >= 0 && console_link_attach(link, master))) {
		(void)fail(link, "pty");
		close_slave(link);
		if (master >= 0)
			close(master);
		return -1;
	}
	link->events->connected(link, true);
	return 0;
}

static int open_pty(struct console_link *link)
{
	int master;

	if (link->taken_over)
		return go_on(link);
	master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (master < 0)
		return fail(link, "pty");
	if (grantpt(master) || unlockpt(master) || ptsname_r(master, link->target, sizeof link->target) ||
	    open_slave(link) || console_link_attach(link, master)) {
		(void)fail(link, "pty");
		close_slave(link);
		close(master);
		return -1;
	}
	if (make_symlink(link)) {
		console_link_detach(link);
		close_slave(link);
		return -1;
	}
	set_size(link, link->options.cols, link->options.rows);
	printf("%s: %s\n", link->name, link->target);
	link->events->connected(link, true);
	return 0;
}

/*
 * Called when a privileged program, such as login, has hung the terminal up. A hang-up disables all
 * descriptors of the slave, and resets the settings. After the reset the terminal would echo
 * the guest's output. So the slave is opened and set up again.
 */
static void hung_up(struct console_link *link)
{
	struct pollfd master = { .fd = link->in.fd };

	close_slave(link);
	if (open_slave(link) == 0 && poll(&master, 1, 0) == 0) {
		set_size(link, link->cols, link->rows);
		return;
	}
	log_line("%s: %s: the terminal has ended: %s", link->name, link->target, strerror(errno));
	console_link_detach(link);
}

static void on_slave(struct event_source *source)
{
	struct pollfd slave = { .fd = source->fd };

	if (poll(&slave, 1, 0) == 1)
		hung_up(CONTAINER_OF(source, struct console_link, slave));
}

static void close_pty(struct console_link *link)
{
	char target[sizeof link->target + 1];
	ssize_t len;

	close_slave(link);
	/* Until this process has taken over, the old process needs the symbolic link. */
	if (!link->options.symlink || inherited.count > 0)
		return;
	len = readlink(link->options.symlink, target, sizeof target);
	if (len == (ssize_t)strlen(link->target) && memcmp(target, link->target, (size_t)len) == 0)
		unlink(link->options.symlink);
}

const struct console_link_ops console_pty_ops = {
	.open = open_pty,
	.close = close_pty,
	.refresh = follow_size,
	.resize = set_size,
	.filter = filter,
	.input_ended = hung_up,
};
