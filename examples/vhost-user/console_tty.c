/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The daemon's own terminal: its stdin and stdout, either of which may be a pipe or a file. The
 * terminal is raw only while a front end is attached, so Ctrl-C ends the daemon at other times. The
 * daemon needs O_NONBLOCK, but all processes that share a descriptor share its flags. So the daemon
 * opens stdin and stdout again.
 *
 * A background job that changes or reads its terminal is stopped. A stopped daemon would stop all
 * of its guests. So SIGTTOU and SIGTTIN are blocked, and the daemon leaves the terminal alone until
 * it is in the foreground.
 */
#include "console_link.h"
#include "log.h"
#include "options.h"
#include "shared_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define LOOK_NS UINT64_C(1000000000) /* period of checks whether the daemon is in the foreground */

/*
 * Opens the file of a descriptor once more. The new descriptor has its own flags. A copy of the
 * descriptor is enough for a regular file, which doesn't block. A copy is also enough for a socket,
 * such as a service manager's journal, because each call has MSG_DONTWAIT.
 */
static int open_again(int fd, int flags)
{
	char path[32];
	struct stat st;

	if (fstat(fd, &st))
		return -1;
	if (S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode))
		return fcntl(fd, F_DUPFD_CLOEXEC, 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static void tell_size(struct console_link *link)
{
	struct winsize size;

	if (ioctl(link->tty, TIOCGWINSZ, &size) == 0)
		link->events->resized(link, size.ws_col, size.ws_row);
}

/*
 * tcgetpgrp() fails for a terminal that is not the process's controlling terminal. It returns 0 if
 * the foreground job is in another PID namespace. In both cases the daemon may use the terminal.
 */
static bool in_background(const struct console_link *link)
{
	const pid_t foreground = link->tty < 0 ? -1 : tcgetpgrp(link->tty);

	return foreground > 0 && foreground != getpgrp();
}

/* Checks at intervals, because a running job gets no signal when it moves to the foreground. */
static void wait_for_foreground(struct console_link *link)
{
	if (!link->told)
		log_line("%s: the daemon is in the background: the terminal waits for fg", link->name);
	link->told = link->holds_input = true;
	console_link_stop_input(link);
	event_timer_set(&link->later, LOOK_NS);
}

/*
 * Data of the handler for signals that would end the process at once and leave the terminal raw.
 * The handler restores the terminal, and the default action follows. An existing handler, for
 * example a sanitizer's, stays.
 */
static struct {
	struct termios settings;
	volatile sig_atomic_t fd; /* descriptor of the terminal while it is raw, or -1 */
} at_end = { .fd = -1 };

static void on_fatal_signal(int number)
{
	if (at_end.fd >= 0)
		(void)tcsetattr(at_end.fd, TCSANOW, &at_end.settings);
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

static void catch_fatal_signal(int number)
{
	const struct sigaction ours = { .sa_handler = on_fatal_signal };
	struct sigaction before;

	if (sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
		(void)sigaction(number, &ours, NULL);
}

static void catch_fatal_signals(void)
{
	static const int numbers[] = { SIGABRT, SIGALRM, SIGFPE,    SIGILL,  SIGIO,   SIGPROF,   SIGPWR,
				       SIGSEGV, SIGSYS,  SIGSTKFLT, SIGTRAP, SIGUSR2, SIGVTALRM, SIGXCPU };

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		catch_fatal_signal(numbers[i]);
	for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
		catch_fatal_signal(number);
	shared_memory_on_other_fault(on_fatal_signal);
}

static void take_terminal(struct console_link *link)
{
	struct termios raw;

	if (!link->attached)
		return;
	if (in_background(link)) {
		wait_for_foreground(link);
		return;
	}
	link->told = link->holds_input = false;
	/* A background job gets no SIGWINCH, so the size may have changed meanwhile. */
	if (link->tty >= 0)
		tell_size(link);
	/*
	 * If the terminal is raw already, link->settings has its earlier settings, also after an
	 * update.
	 */
	if (link->tty >= 0 && (link->raw || tcgetattr(link->tty, &link->settings) == 0)) {
		raw = link->settings;
		cfmakeraw(&raw);
		at_end.settings = link->settings;
		at_end.fd = link->tty;
		link->raw = tcsetattr(link->tty, TCSANOW, &raw) == 0;
	}
	console_link_room(link);
}

static void on_look(struct event_timer *timer)
{
	take_terminal(CONTAINER_OF(timer, struct console_link, later));
}

/*
 * A shell changes the terminal while the daemon is stopped. So after SIGCONT the daemon sets up the
 * terminal again.
 */
static void on_signal(struct event_source *source)
{
	struct console_link *link = CONTAINER_OF(source, struct console_link, listener);
	struct signalfd_siginfo info;

	if (read(source->fd, &info, sizeof info) != (ssize_t)sizeof info)
		return;
	if (info.ssi_signo == SIGCONT)
		take_terminal(link);
	else
		tell_size(link);
}

static int follow_terminal(struct console_link *link)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGCONT);
	link->listener =
		(struct event_source){ .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .ready = on_signal };
	if (link->listener.fd < 0 || event_loop_want(link->loop, &link->listener, EVENT_READABLE))
		return -1;
	return event_timer_open(&link->later, link->loop, on_look);
}

/* TCSADRAIN would wait as long as the output of the terminal is stopped. */
static void restore(struct console_link *link)
{
	if (link->raw && !in_background(link))
		(void)tcsetattr(link->tty, TCSANOW, &link->settings);
	link->raw = false;
	at_end.fd = -1;
}

static void close_tty(struct console_link *link)
{
	restore(link);
	if (link->listener.fd >= 0) {
		(void)event_loop_want(link->loop, &link->listener, 0);
		close(link->listener.fd);
	}
	link->listener.fd = -1;
	event_timer_close(&link->later);
	if (link->tty >= 0)
		close(link->tty);
	link->tty = -1;
}

static int fail(struct console_link *link, const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", link->name, what, strerror(errno));
	close_tty(link);
	console_link_detach(link);
	return -1;
}

static void print_escape(const struct console_link *link)
{
	const unsigned char key = (unsigned char)link->options.escape;

	if (link->options.escape >= 0)
		printf("%s: %s%c and then q ends the daemon; %s%c twice sends one to the guest\n", link->name,
		       key < 32 ? "Ctrl-" : "", key < 32 ? key + 64 : key, key < 32 ? "Ctrl-" : "",
		       key < 32 ? key + 64 : key);
}

static int open_tty(struct console_link *link)
{
	const int in = open_again(STDIN_FILENO, O_RDONLY);
	int out;

	if (in < 0)
		return fail(link, "stdin");
	out = open_again(STDOUT_FILENO, O_WRONLY);
	if (out < 0) {
		(void)fail(link, "stdout");
		close(in);
		return -1;
	}
	if (console_link_attach_two(link, in, out)) {
		(void)fail(link, "stdin");
		close(in);
		close(out);
		return -1;
	}
	link->holds_input = true;
	console_link_stop_input(link);
	if (isatty(in)) {
		link->tty = fcntl(in, F_DUPFD_CLOEXEC, 0);
		if (link->tty < 0 || (!link->taken_over && tcgetattr(link->tty, &link->settings)) ||
		    follow_terminal(link))
			return fail(link, "terminal");
		catch_fatal_signals();
		tell_size(link);
		if (!link->taken_over)
			print_escape(link);
	}
	link->events->connected(link, true);
	return 0;
}

static void attached(struct console_link *link)
{
	link->attached = true;
	take_terminal(link);
}

static void detached(struct console_link *link)
{
	link->attached = false;
	link->holds_input = true;
	console_link_stop_input(link);
	restore(link);
}

/*
 * Handles the escape key, and removes it from the input. The key followed by q ends the daemon as
 * SIGTERM does. The key pressed twice sends the key's byte to the guest once. Any other byte after
 * the key is removed, too.
 */
static size_t filter(struct console_link *link, uint8_t *bytes, size_t len)
{
	size_t kept = 0;

	if (link->tty < 0 || link->options.escape < 0)
		return len;
	for (size_t i = 0; i < len; i++) {
		const bool is_escape = bytes[i] == link->options.escape;

		if (link->escaped && bytes[i] == 'q')
			(void)kill(getpid(), SIGTERM);
		if (link->escaped ? is_escape : !is_escape)
			bytes[kept++] = bytes[i];
		link->escaped = !link->escaped && is_escape;
	}
	return kept;
}

/* Called at the end of stdin. Output continues. */
static void input_ended(struct console_link *link)
{
	/* In the background a read of the terminal fails, but the input has not ended. */
	if (in_background(link)) {
		take_terminal(link);
		return;
	}
	console_link_stop_input(link);
	link->input_ended = true;
}

int console_tty_parse(struct console_link_options *options)
{
	static bool taken;
	sigset_t set;

	if (taken)
		return option_error("tty", "this terminal has a port already");
	taken = true;
	options->ops = &console_tty_ops;
	options->escape = ']' - 64;
	/*
	 * No thread runs yet, and all threads inherit the blocked signals. A signalfd reads
	 * SIGWINCH and SIGCONT.
	 */
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGCONT);
	sigaddset(&set, SIGTTIN);
	sigaddset(&set, SIGTTOU);
	return sigprocmask(SIG_BLOCK, &set, NULL);
}

int console_tty_escape(const char *text, struct console_link_options *options)
{
	if (options->ops != &console_tty_ops)
		return option_error(text, "only tty has an escape");
	if (strcmp(text, "none") == 0)
		options->escape = -1;
	else if (text[0] == '^' && text[1] >= '@' && text[1] <= '_' && !text[2])
		options->escape = text[1] - 64;
	else if (text[0] > ' ' && text[0] < 127 && !text[1])
		options->escape = text[0];
	else
		return option_error(text, "escape is none, one character, or ^ and a capital or one of @[\\]^_");
	return 0;
}

const struct console_link_ops console_tty_ops = { .open = open_tty,
						  .close = close_tty,
						  .attached = attached,
						  .detached = detached,
						  .filter = filter,
						  .input_ended = input_ended };
