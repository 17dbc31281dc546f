/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Seeds of the harness of saved state. */
#include "../common/seeds.h"
#include "steps.h"

#define STATE(name, ...) SEED("fuzz_state", name, __VA_ARGS__)

/*
 * Machine 2415 has three active devices, four connections and four replies. Each device has
 * requests in flight, and both ports have output in flight. Machine 9 has no output in flight, but
 * input for both ports. In machine 129 the message REMOVE for port 1 is pending. In machine 1 two
 * devices are not active. Machine 0 has two unfinished messages.
 */
#define MACHINE(n) (n) & 0xff, (n) >> 8
#define FULL MACHINE(2415)
#define WITH_INPUT MACHINE(9)
#define REMOVED MACHINE(129)
#define FRONT 255
#define AT(offset) (offset) & 0xff, (offset) >> 8

/* Numbers of sections in the file of machine 2415. */
#define DISK_CORE 0
#define DISK 1
#define DISK_QUEUE 2
#define DISK_QUEUE_1 3
#define CONSOLE_CORE 4
#define CONSOLE 5
#define CONSOLE_QUEUE 6
#define SOCKETS_CORE 12
#define SOCKETS 13
#define REPLIES 14
#define LAST 17
#define INPUT 6         /* in the file of machine 9 */
#define SOCKETS_OF_0 15 /* in the file of machine 0 */

/* Numbers of fields. */
#define INTERRUPTS 2
#define ACTIVE 13
#define READY 5
#define IN_ORDER 8
#define BROKEN 12
#define IN_FLIGHT 13

const struct seed state_seeds[] = {
	STATE("good", FULL),
	STATE("good_inactive", MACHINE(1)),
	STATE("good_no_output", WITH_INPUT),
	STATE("features", FULL, STATE_FIELD, DISK, FRONT, 0, 0xc0, 0x00, 0x02),
	STATE("capacity", FULL, STATE_FIELD, DISK, FRONT, 1, 9, STATE_JUDGE, STATE_FIELD, DISK, FRONT, 1, 65),
	/* Byte 238 is the last byte of the disk's section. */
	STATE("extra_byte", FULL, STATE_GROW, AT(239), 1, 0, STATE_LENGTH, DISK, 1),
	STATE("missing_byte", FULL, STATE_CUT, AT(238), 1, STATE_LENGTH, DISK, 255),
	STATE("bool", FULL, STATE_FIELD, DISK_QUEUE, FRONT, READY, 2),
	STATE("bool_of_entry", FULL, STATE_FIELD, DISK_CORE, 1, READY, 2),
	STATE("count", FULL, STATE_NUDGE, DISK_QUEUE, FRONT, IN_FLIGHT, 1, STATE_JUDGE, STATE_FIELD, DISK_QUEUE, FRONT,
	      IN_FLIGHT, 0xe0 + 14, 0),
	STATE("length", FULL, STATE_LENGTH, LAST, 4, STATE_JUDGE, STATE_FRESH, STATE_LENGTH, SOCKETS, 252),
	STATE("version", FULL, STATE_HEADER, DISK_QUEUE, 2, 0, STATE_JUDGE, STATE_HEADER, DISK_QUEUE, 2, 2),
	STATE("flags", FULL, STATE_HEADER, DISK_QUEUE, 3, 1, STATE_JUDGE, STATE_HEADER, DISK_QUEUE, 3, 2),
	STATE("name", FULL, STATE_FLIP, AT(36), 0x80, STATE_JUDGE, STATE_FRESH, STATE_FLIP, AT(50), 1),
	STATE("other_id", FULL, STATE_FLIP, AT(30), 1),
	STATE("other_file", FULL, STATE_FLIP, AT(3), 1, STATE_JUDGE, STATE_FRESH, STATE_PUT, AT(8), 2, 2),
	STATE("long", FULL, STATE_GROW, AT(1000), 1, 0),
	STATE("short", FULL, STATE_CUT, AT(1000), 1, STATE_JUDGE_RAW, STATE_CUT, AT(11), 255, STATE_CUT, AT(11), 255),
	STATE("moved", FULL, STATE_MOVE, DISK_QUEUE, CONSOLE),
	STATE("moved_input", WITH_INPUT, STATE_MOVE, INPUT, 0),
	STATE("twice", FULL, STATE_TWICE, SOCKETS, LAST),
	STATE("twice_input", WITH_INPUT, STATE_TWICE, INPUT, INPUT),
	STATE("dropped", FULL, STATE_DROP, LAST),
	STATE("dropped_input", WITH_INPUT, STATE_DROP, INPUT),
	STATE("strange", FULL, STATE_STRANGE, CONSOLE_CORE, 1, 20, STATE_STRANGE, 20, 1, 0, STATE_JUDGE, STATE_STRANGE,
	      CONSOLE_QUEUE, 0, 3),
	STATE("input_empty", WITH_INPUT, STATE_ENTRY, INPUT, 0, 0, STATE_ENTRY, INPUT, 3, 1),
	STATE("interrupts", FULL, STATE_FIELD, DISK_CORE, FRONT, INTERRUPTS, 4),
	STATE("not_active", FULL, STATE_FIELD, CONSOLE_CORE, FRONT, ACTIVE, 0),
	STATE("area", FULL, STATE_NUDGE, DISK_CORE, 0, 2, 4, STATE_NUDGE, DISK_QUEUE, FRONT, 2, 4, STATE_JUDGE,
	      STATE_NUDGE, DISK_CORE, 0, 2, 1),
	STATE("in_order", FULL, STATE_FIELD, CONSOLE_QUEUE, FRONT, IN_ORDER, 0),
	STATE("broken", FULL, STATE_NUDGE, DISK_QUEUE_1, FRONT, BROKEN, 0xff, STATE_JUDGE, STATE_FRESH, STATE_FIELD,
	      DISK_QUEUE_1, FRONT, BROKEN, 0xff, 0x0e, 0xfc, 0xff, 0xff, 0, 0, 0, 0),
	STATE("head_twice", FULL, STATE_ENTRY, DISK_QUEUE, 0, 1),
	STATE("head_gone", FULL, STATE_ENTRY, DISK_QUEUE, 0, 0),
	STATE("head_beyond", FULL, STATE_FIELD, DISK_QUEUE, 1, 0, 77),
	STATE("completed", FULL, STATE_FIELD, DISK_QUEUE, 0, 1, 1, STATE_JUDGE, STATE_FRESH, STATE_FIELD, LAST, 1, 1,
	      1),
	STATE("port_head", FULL, STATE_FIELD, CONSOLE, 0, 6, 13, STATE_JUDGE, STATE_FIELD, CONSOLE, 0, 6, 12),
	STATE("port_flags", FULL, STATE_FIELD, CONSOLE, 1, 1, 0x17, STATE_JUDGE, STATE_FIELD, CONSOLE, 1, 2, 0x30),
	STATE("port_gone", WITH_INPUT, STATE_ENTRY, CONSOLE, 1, 0),
	STATE("port_twice", WITH_INPUT, STATE_ENTRY, CONSOLE, 1, 0, STATE_ENTRY, CONSOLE, 0, 1),
	STATE("connection_twice", FULL, STATE_ENTRY, SOCKETS, 3, 0, STATE_ENTRY, SOCKETS, 0, 1),
	STATE("connection_gone", FULL, STATE_ENTRY, SOCKETS, 0, 0),
	STATE("connection_order", FULL, STATE_FIELD, SOCKETS, 0, 1, 0xe0 + 6, 0),
	STATE("connection_pending", FULL, STATE_FIELD, SOCKETS, 0, 9, 32, STATE_JUDGE, STATE_FIELD, SOCKETS, 1, 9, 32),
	STATE("connection_bytes", FULL, STATE_NUDGE, SOCKETS, 0, 11, 1, STATE_JUDGE, STATE_FIELD, SOCKETS, 0, 5, 6),
	STATE("connection_peer", FULL, STATE_FIELD, SOCKETS, 2, 2, 6),
	STATE("reply", FULL, STATE_FIELD, REPLIES, 0, 1, 6, STATE_JUDGE, STATE_FIELD, REPLIES, 0, 0, 5),
	STATE("reply_type", FULL, STATE_FIELD, REPLIES, 1, 4, 2),
	STATE("message", MACHINE(0), STATE_FIELD, SOCKETS_OF_0, 0, 20, 0, STATE_JUDGE, STATE_FRESH, STATE_FIELD,
	      SOCKETS_OF_0, 0, 4, 1),
	STATE("old_version", MACHINE(0), STATE_OLD, SOCKETS_OF_0, STATE_JUDGE, STATE_FIELD, SOCKETS_OF_0, 0, 18, 7,
	      STATE_JUDGE, STATE_ENTRY, SOCKETS_OF_0, 0, 0),
	STATE("removed_port", REMOVED, STATE_FIELD, CONSOLE, 1, 1, 0x10, STATE_JUDGE, STATE_FIELD, CONSOLE, 1, 1, 0x50),
	STATE("old_ports", REMOVED, STATE_OLD, CONSOLE, STATE_FIELD, CONSOLE, 1, 1, 0x10, STATE_JUDGE, STATE_FIELD,
	      CONSOLE, 1, 1, 0x50),
	STATE("bytes", FULL, STATE_BYTES, 1, 'd', 'e', 'v', 'i', 'c', 'e', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	      0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 0),
	STATE("bytes_raw", FULL, STATE_BYTES, 0, 'V', 'I', 'R', 'T', 'I', 'O', 'S', 'S', 1, 0, 0),
	STATE("bytes_none", FULL, STATE_BYTES, 0),
};

const size_t state_seed_count = sizeof state_seeds / sizeof state_seeds[0];
