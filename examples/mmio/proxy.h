/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The connection to QEMU: receives QEMU's messages, and passes the requests to the machine.
 *
 * What QEMU can do: send malformed messages, which end the connection. What the guest can do
 * through QEMU: access the configuration space and the page of registers in any way. Each access
 * gets a reply.
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
	bool failed; /* set if an error ended the connection */
};

/*
 * Begins the connection on a socket, which the proxy then owns. The end of the connection stops the
 * event loop. Returns 0, or -1 with errno.
 */
int proxy_open(struct proxy *proxy, struct event_loop *loop, int socket, struct machine *machine);

void proxy_close(struct proxy *proxy);

#endif
