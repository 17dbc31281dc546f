/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The protocol of QEMU's x-pci-proxy-dev, a PCI device that another process implements. That
 * process receives the guest's accesses as messages over a socket.
 *
 * QEMU documents the protocol in docs/devel/multi-process.rst. Both sides run on one host, so
 * integers have the host's byte order and layout. This header has only the requests that a device
 * needs.
 *
 * What the other side can do: send anything, with any descriptors. proxy_receive() accepts only
 * messages with the size and the number of descriptors that the command requires. proxy_receive()
 * does not check the content of the payload.
 */
#ifndef PROXY_PROTOCOL_H
#define PROXY_PROTOCOL_H

#include "incoming.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define PROXY_MAX_FDS 8 /* set by the protocol */

static_assert(PROXY_MAX_FDS <= INCOMING_MAX_FDS, "struct incoming has room for PROXY_MAX_FDS descriptors");

/* The result of a read that fails or finds no device, as on a PCI bus. */
#define PROXY_NOTHING UINT64_MAX

enum proxy_command {
	PROXY_SET_MEMORY,   /* struct proxy_memory, with a descriptor for each region; no reply */
	PROXY_REPLY,        /* a uint64_t; sent by this process only */
	PROXY_CONFIG_WRITE, /* struct proxy_config_access, to the PCI configuration space */
	PROXY_CONFIG_READ,
	PROXY_BAR_WRITE, /* struct proxy_bar_access, to the device's memory or ports */
	PROXY_BAR_READ,
	PROXY_SET_IRQ, /* two eventfds, used by KVM only; no reply */
	PROXY_RESET,   /* resets the machine */
};

struct proxy_header {
	int32_t command; /* enum proxy_command */
	uint32_t unused;
	uint64_t size; /* bytes of the payload */
};

/* The number of descriptors tells how many entries are valid. */
struct proxy_memory {
	uint64_t addr[PROXY_MAX_FDS]; /* guest-physical */
	uint64_t size[PROXY_MAX_FDS];
	uint64_t offset[PROXY_MAX_FDS]; /* offset of the region in the file */
};

struct proxy_config_access {
	uint32_t addr;
	uint32_t value;
	int32_t len; /* 1, 2 or 4 */
};

struct proxy_bar_access {
	uint64_t addr; /* on the bus, not from the start of the BAR */
	uint64_t value;
	uint32_t size; /* 1, 2, 4 or 8 */
	uint8_t is_memory;
	uint8_t unused[3];
};

union proxy_payload {
	struct proxy_memory memory;
	struct proxy_config_access config;
	struct proxy_bar_access bar;
	uint64_t reply;
	char bytes[1];
};

/* A message that is being received, or was received. It must be all zero at first. */
struct proxy_message {
	struct proxy_header header;
	union proxy_payload payload;
	struct incoming in; /* the number of bytes includes the header */
};

/*
 * Continues to receive a message. Does not wait.
 *
 * @reason  set if -1 is returned: why the connection must end, or NULL if the other side closed the
 *          connection between two messages
 *
 * Returns 1 for a complete message with the right size and number of descriptors, 0 if more bytes
 * must arrive, or -1.
 */
int proxy_receive(int socket, struct proxy_message *message, const char **reason);

/* Closes the descriptors, and makes room for the next message. */
void proxy_clear(struct proxy_message *message);

/* Sends a reply. Returns 0 or -1. */
int proxy_reply(int socket, uint64_t value);

#endif
