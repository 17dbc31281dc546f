/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Runs QEMU as a child process that inherits one end of each of two socket pairs. */
#ifndef CHILD_H
#define CHILD_H

#include <signal.h>
#include <sys/types.h>

/* The descriptors at which the command finds its ends of the sockets. */
#define CHILD_PROXY_FD 3
#define CHILD_IRQ_FD 4

/*
 * Runs a command. The command gets SIGTERM when this process ends.
 *
 * @argv     the command and its arguments, ended by NULL
 * @signals  unblocked for the command
 * @proxy    set to our end of the socket for x-pci-proxy-dev
 * @irq      set to our end of the socket for the pci-serial device
 *
 * Returns the command's process ID, or -1 with errno.
 */
pid_t child_start(char *const argv[], const sigset_t *signals, int *proxy, int *irq);

/*
 * Waits until the child ends. If `ask` is set, first sends the child SIGTERM. Returns whether the
 * child succeeded.
 */
int child_finish(pid_t child, int ask);

#endif
