/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The connection to QEMU: receives its messages, and passes their requests to the machine.
 *
 * What QEMU can do: send rubbish, which ends the connection. What the guest can do through QEMU:
 * any access to the configuration space and the page of registers, which is answered.
 */
#ifndef PROXY_H
#define PROXY_H

#include "event_loop.h"
#include "guest_ram.h"
#include "machine.h"
#include "pci_function.h"
#include "proxy_protocol.h"

struct proxy {
	struct event_source socket;
	struct event_loop *loop;
	struct machine *machine;
	struct proxy_message message;
	struct pci_function pci;
	struct guest_ram *ram;
	bool failed; /* the connection ended by an error, not because QEMU closed it */
};

/*
 * Begins the connection on a socket, which it owns. Returns 0, or -1 with errno. The end of the
 * connection stops the event loop.
 */
int proxy_open(struct proxy *proxy, struct event_loop *loop, int socket, struct machine *machine);

void proxy_close(struct proxy *proxy);

#endif
