/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Starts QEMU, and waits until it ends. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Moves the descriptors to the numbers that the command expects. First copies both descriptors to
 * higher numbers, because one descriptor may already have the number that the command expects for
 * the other descriptor.
 */
static int place_descriptors(int proxy, int irq)
{
	proxy = fcntl(proxy, F_DUPFD_CLOEXEC, CHILD_IRQ_FD + 1);
	irq = fcntl(irq, F_DUPFD_CLOEXEC, CHILD_IRQ_FD + 1);
	if (proxy < 0 || irq < 0)
		return -1;
	return dup2(proxy, CHILD_PROXY_FD) < 0 || dup2(irq, CHILD_IRQ_FD) < 0 ? -1 : 0;
}

static void run(char *const argv[], const sigset_t *signals, pid_t parent, int proxy, int irq)
{
	/*
	 * End the child when this process is killed, because no other process would reply to the
	 * child.
	 */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() == parent && place_descriptors(proxy, irq) == 0) {
		sigprocmask(SIG_UNBLOCK, signals, NULL);
		signal(SIGPIPE, SIG_DFL);
		signal(SIGXFSZ, SIG_DFL);
		execvp(argv[0], argv);
	}
	fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

pid_t child_start(char *const argv[], const sigset_t *signals, int *proxy, int *irq)
{
	const pid_t parent = getpid();
	int proxies[2], irqs[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, proxies))
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, irqs)) {
		close(proxies[0]);
		close(proxies[1]);
		return -1;
	}
	fflush(stdout);
	child = fork();
	if (child == 0)
		run(argv, signals, parent, proxies[1], irqs[1]);
	/*
	 * Close the child's ends of the sockets here. Then this process sees the connections close
	 * when the child ends.
	 */
	close(proxies[1]);
	close(irqs[1]);
	if (child < 0) {
		close(proxies[0]);
		close(irqs[0]);
		return -1;
	}
	*proxy = proxies[0];
	*irq = irqs[0];
	return child;
}

int child_finish(pid_t child, int ask)
{
	int status;

	if (ask)
		kill(child, SIGTERM);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 0;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
