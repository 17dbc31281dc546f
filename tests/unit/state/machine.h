/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A machine with a disk, a console with two ports and a socket device, on the device core. The
 * machine is saved and restored as a whole. The devices pop requests ahead and hold them, so that a
 * save finds requests in flight.
 *
 * This file does not need cmocka, so programs without cmocka can use it, also on other
 * architectures. MUST() ends the program if its condition is false.
 */
#ifndef VIRTIO_TESTS_STATE_MACHINE_H
#define VIRTIO_TESTS_STATE_MACHINE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <virtio/blk_memory.h>
#include <virtio/blk_state.h>
#include <virtio/console_state.h>
#include <virtio/device_queues.h>
#include <virtio/device_state.h>
#include <virtio/device_transport.h>
#include <virtio/queue_ser.h>
#include <virtio/vsock_state.h>

#define MUST(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

enum machine_device { MACHINE_DISK, MACHINE_CONSOLE, MACHINE_SOCKETS, MACHINE_DEVICES };

#define MACHINE_QUEUE_SIZE 16u
#define MACHINE_MAX_QUEUES 6u /* largest number of queues of one device */
#define MACHINE_RAM 0x20000u
#define MACHINE_SECTORS 64u
#define MACHINE_PORTS 2u
#define MACHINE_INPUT 64u
#define MACHINE_CONNECTIONS 4u
#define MACHINE_REPLIES 4u
#define MACHINE_GUEST_CID 5u
#define MACHINE_FILE_BYTES 32768u /* bytes of the largest file */
#define MACHINE_SEGMENTS (2 * MACHINE_QUEUE_SIZE)

/* A device on the core, with its queues. */
struct machine_part {
	struct machine *machine;
	struct virtio_device device;
	struct virtio_device_queues device_queues;
	struct virtio_queue queues[MACHINE_MAX_QUEUES];
	struct virtio_queue_registers registers[MACHINE_MAX_QUEUES];
	struct virtio_inflight inflight[MACHINE_MAX_QUEUES * MACHINE_QUEUE_SIZE];
	/* Chains that were popped and not begun, the oldest first. */
	struct virtio_chain held[MACHINE_MAX_QUEUES][MACHINE_QUEUE_SIZE];
	uint32_t held_count[MACHINE_MAX_QUEUES];
	uint32_t notified[MACHINE_MAX_QUEUES];
	uint32_t used_interrupts;
	uint32_t config_interrupts;
};

struct machine {
	uint8_t *ram;
	struct virtio_region region;
	struct virtio_memory_map map;
	struct machine_part parts[MACHINE_DEVICES];
	struct virtio_blk blk;
	uint8_t *storage; /* MACHINE_SECTORS sectors */
	struct virtio_blk_memory memory;
	struct virtio_console console;
	struct virtio_console_port ports[MACHINE_PORTS];
	struct virtio_console_input inputs[MACHINE_PORTS];
	uint8_t input_bytes[MACHINE_PORTS][MACHINE_INPUT];
	struct virtio_segment segments[3][MACHINE_SEGMENTS];
	/* Gets the output of the ports, or is NULL. */
	void (*output)(void *context, uint32_t port, const void *bytes, size_t len);
	void *output_context;
	size_t output_room; /* bytes that the sinks accept before they are full */
	struct virtio_vsock vsock;
	struct virtio_vsock_events events;
	struct virtio_vsock_table table;
	struct virtio_vsock_connection connections[MACHINE_CONNECTIONS];
	struct virtio_vsock_connection *buckets[MACHINE_CONNECTIONS];
	struct virtio_vsock_hdr replies[MACHINE_REPLIES];
};

/* The content of a file, as structs of the libraries. */
struct machine_state {
	struct virtio_device_state device[MACHINE_DEVICES];
	struct virtio_queue_registers_state registers[MACHINE_DEVICES][MACHINE_MAX_QUEUES];
	struct virtio_queue_state queue[MACHINE_DEVICES][MACHINE_MAX_QUEUES];
	struct virtio_queue_flight record[MACHINE_DEVICES][MACHINE_MAX_QUEUES][MACHINE_QUEUE_SIZE];
	uint32_t record_count[MACHINE_DEVICES][MACHINE_MAX_QUEUES];
	struct virtio_blk_state blk;
	struct virtio_console_state console;
	struct virtio_console_port_state ports[MACHINE_PORTS];
	uint32_t port_count;
	uint8_t input[MACHINE_PORTS][MACHINE_INPUT];
	uint32_t input_count[MACHINE_PORTS];
	struct virtio_vsock_device_state vsock;
	struct virtio_vsock_connection_state connections[MACHINE_CONNECTIONS];
	struct virtio_vsock_reply_state replies[MACHINE_REPLIES];
	struct virtio_vsock_saved sockets;
};

/* Makes a machine that no driver has touched. The caller provides its memory and storage. */
void machine_make(struct machine *m, uint8_t *ram, uint8_t *storage);

/* Returns the number of queues of a device. */
uint32_t machine_queues(uint32_t device);

/* Saves the machine without changing it. Returns the length of the file. */
size_t machine_save(const struct machine *m, uint8_t bytes[MACHINE_FILE_BYTES]);

/* Reads and checks a file. Returns 0, or an error that reader->fault describes. */
int machine_read(const struct machine *m, const uint8_t *bytes, size_t length, struct machine_state *s,
		 struct virtio_section_reader *reader);

/* Restores a state into a machine that was just made. Returns 0 or an error. */
int machine_restore(struct machine *m, const struct machine_state *s);

/* Starts the devices, as the last step of a restore. */
void machine_resume(struct machine *m);

/* Pops and holds requests of a queue, at most the given number. Returns their number. */
uint32_t machine_hold(struct machine *m, uint32_t device, uint32_t queue, uint32_t most);

/* The id in every file. */
extern const uint8_t machine_id[VIRTIO_QUEUE_SER_ID_BYTES];

#endif
