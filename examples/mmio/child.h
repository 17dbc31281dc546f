/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* QEMU as a child process, with our two sockets as its descriptors. */
#ifndef CHILD_H
#define CHILD_H

#include <signal.h>
#include <sys/types.h>

/* The numbers under which the command finds its ends of the sockets. */
#define CHILD_PROXY_FD 3
#define CHILD_IRQ_FD 4

/*
 * Runs a command, which is asked to end when this process ends.
 *
 * @argv     ended by NULL
 * @signals  that the command must not inherit as blocked
 * @proxy    set to our end of the socket for x-pci-proxy-dev
 * @irq      set to our end of the socket for the pci-serial
 *
 * Returns its process ID, or -1 with errno.
 */
pid_t child_start(char *const argv[], const sigset_t *signals, int *proxy, int *irq);

/*
 * Waits until the child ends; asks it to end first if ask is set. Returns whether the child
 * succeeded.
 */
int child_finish(pid_t child, int ask);

#endif
