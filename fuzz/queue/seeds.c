/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Seeds of the queue harness. */
#include "../common/seeds.h"
#include "steps.h"

#define QUEUE(name, ...) SEED("fuzz_queue", name, __VA_ARGS__)

/*
 * An input begins with a byte for the queue (Q_...). The bytes of an M_... follow. They describe
 * the guest's memory, a second map of this memory (main.c), and changes of the configuration.
 */
#define Q_SIZE_8 3
#define Q_EVENT_IDX 0x08
#define Q_NO_INDIRECT 0x10
#define Q_IN_ORDER 0x20
#define Q_UNNEGOTIATED 0x40
#define Q_LONG 0x80
#define M_FLAT 0, 0, 0, 0
#define M_LOGGED 0x10, 0, 0, 0
#define M_TOP 0x03, 0, 0, 0
#define M_MISALIGNED 0x20, 0, 0, 0
#define M_ONE_BYTE 0x08, 0, 0, 0, 0, 0
#define M_SIXES_LOGGED 0x18, 0, 5, 0, 0, 0
#define M_PAGES 0x40, 0x01, 0, 0, 0
#define M_NOT_MAPPED 0x40, 0x11, 16, 0x30, 0, 0, 0
#define M_HOLES 0x04, 3, 140, 0, 16, 1, 16, 2, 0, 0, 0
#define M_HALVES 0x04, 1, 191, 0, 0, 0, 0
#define M_HALF_LOGGED 0x04, 2, 191, 0, 64, 3, 0, 0, 0
#define M_SECOND_LOGGED 0, 1, 0, 0
#define M_SECOND_ELSEWHERE 0, 8, 0, 0

/* Steps. */
#define DEVICE(step) (0x80 | (step))
#define R(where, len) (where), (len)*2
#define W(where, len) (where), (len)*2 + 1
#define ADD_1 DRIVER_ADD, 0, W(0, 16)
#define ADD_2 DRIVER_ADD, 1, R(0, 16), W(8, 17)
#define ADD_TABLE DRIVER_ADD_INDIRECT, 2, R(0, 5), R(2, 0), W(40, 9), 200
#define LIVE 0, 0 /* the first request in flight */
#define LIVE_2ND 0, 1
#define POP DEVICE(DEVICE_POP)
#define SERVE DEVICE(DEVICE_SERVE)
#define RESOLVE DEVICE(DEVICE_RESOLVE), 0x80, 0
#define COMPLETE DEVICE(DEVICE_COMPLETE), LIVE, 7
#define COMPLETE_2ND DEVICE(DEVICE_COMPLETE), LIVE_2ND, 9
#define COMPLETE_AS(how, ...) DEVICE(DEVICE_COMPLETE), how, 0, __VA_ARGS__
#define NOTIFY DEVICE(DEVICE_NEEDS_NOTIFICATION)
#define UNPOP DEVICE(DEVICE_UNPOP), 0
#define WALK DEVICE(DEVICE_WALK), 0
#define RESOLVE_TWICE(room) DEVICE(DEVICE_RESOLVE_TWICE), room, 0
#define IS_IN_FLIGHT(how) DEVICE(DEVICE_IS_IN_FLIGHT), how, 0
#define INIT_AGAIN DEVICE(DEVICE_RESET), 3
#define INIT_AGAIN_LATE DEVICE(DEVICE_RESET), 7
#define START DEVICE(DEVICE_START), 0
/* Requests. POP_REQUEST and PARSE_REQUEST have a header of 16 bytes and room for all segments. */
#define ADD_THREE DRIVER_ADD, 2, R(0, 16), W(64, 30), W(128, 1)
#define ADD_TABLE_OF(at, ...) DRIVER_ADD_INDIRECT, 2, __VA_ARGS__, at
#define POP_REQUEST DEVICE(DEVICE_POP_REQUEST), 0, 0x80
#define POP_REQUEST_OF(header, room) DEVICE(DEVICE_POP_REQUEST), 0x80 | (header), room
#define PARSE_REQUEST(which) DEVICE(DEVICE_PARSE_REQUEST), which, 0, 0x80
#define COMPLETE_REQUEST(written) DEVICE(DEVICE_COMPLETE_REQUEST), LIVE, written, 0x17
#define COMPLETE_REQUEST_AS(how) DEVICE(DEVICE_COMPLETE_REQUEST), how, 0, 9, 0x17
#define STREAM(how, ...) DEVICE(DEVICE_STREAM), 0, how, __VA_ARGS__
#define USED_EVENT(ahead) DRIVER_FIELD, 80 * 2 + 40 + (ahead)

/*
 * The arguments of DRIVER_CHAIN are the number of descriptors - 1, the index of the first
 * descriptor, and the faults. For an indirect table 144 is added to the first argument, and the
 * table's offset in the data area follows.
 */
#define CHAIN(count, first, twist) DRIVER_CHAIN, (count)-1, first, twist
#define TABLE(count, first, twist) DRIVER_CHAIN, 144 + (count)-1, first, twist, 128
/* Addresses of bad buffers: outside of memory, and so high that the buffer wraps around. */
#define NOWHERE 0xf1, 20
#define WRAPS 0xf1, 0xff, 0xfc, 255, 255, 255, 255, 255, 255, 255
/* Makes a chain available that has a header, data and a status at these addresses. */
#define PARTS(header, data, status)                                                                                    \
	DRIVER_DESC, 0, header, 16, 1, 1, DRIVER_DESC, 1, data, 9, 3, 2, DRIVER_DESC, 2, status, 8, 2, 0,              \
		DRIVER_OFFER, 0
#define X4(buffer) buffer, buffer, buffer, buffer

/* The address of the last 16 bytes of memory. */
#define LAST_16 0xf0, 0, 8

/*
 * A chain of two descriptors at address 192 (in units of 8 bytes). A library that wrongly enters a
 * nested table at this address would find a good chain there.
 */
#define CHAIN_AT_192 DRIVER_DESC, 0x80, 192, 128, 9, 1, 1, DRIVER_DESC, 0x80 | 16, 192, 130, 9, 2, 0

const struct seed queue_seeds[] = {
	QUEUE("serve", Q_SIZE_8, M_FLAT, ADD_1, ADD_2, SERVE, SERVE, NOTIFY, DRIVER_POP_USED, ADD_2, SERVE, SERVE),
	QUEUE("table", Q_SIZE_8, M_FLAT, ADD_TABLE, ADD_TABLE, SERVE, POP, WALK, COMPLETE),
	QUEUE("walk", Q_SIZE_8, M_FLAT, ADD_2, POP, DEVICE(DEVICE_NEXT), 0, DEVICE(DEVICE_NEXT), 0, DEVICE(DEVICE_NEXT),
	      0),
	QUEUE("resolve_twice", Q_SIZE_8, M_FLAT, ADD_THREE, POP, RESOLVE_TWICE(2), COMPLETE, ADD_TABLE, POP,
	      DEVICE(DEVICE_RESOLVE), 0, 0, RESOLVE_TWICE(1), COMPLETE, ADD_2, POP, RESOLVE_TWICE(0), WALK, COMPLETE,
	      ADD_2, POP, DEVICE(DEVICE_RESOLVE), 1, 0, WALK, COMPLETE),
	QUEUE("resolve_twice_wrong", Q_SIZE_8, M_FLAT, CHAIN(3, 0, 1), R(128, 3), W(130, 3), W(0, 1), POP,
	      RESOLVE_TWICE(1), COMPLETE, CHAIN(3, 0, 0), R(128, 3), W(130, 3), R(132, 3), POP, RESOLVE_TWICE(0)),
	/*
	 * Each chain has one bad buffer. In three chains the first, second or third buffer lies
	 * outside of memory. In two chains the second or third buffer wraps around. A chain has a
	 * status unless the last buffer is bad.
	 */
	QUEUE("bad_buffer", Q_SIZE_8, M_FLAT, PARTS(NOWHERE, 128, 130), POP, RESOLVE, COMPLETE,
	      PARTS(128, NOWHERE, 130), POP, RESOLVE_TWICE(0), COMPLETE, PARTS(128, 130, NOWHERE), POP, RESOLVE,
	      COMPLETE, PARTS(128, WRAPS, 130), POP, RESOLVE, COMPLETE, PARTS(128, 130, WRAPS), POP, WALK, COMPLETE),
	QUEUE("request_bad_buffer", Q_SIZE_8, M_FLAT, PARTS(NOWHERE, 128, 130), POP_REQUEST, COMPLETE_REQUEST(0),
	      PARTS(128, NOWHERE, 130), POP_REQUEST, COMPLETE_REQUEST(9), PARTS(128, 130, NOWHERE), POP_REQUEST,
	      COMPLETE_REQUEST(0), PARTS(128, WRAPS, 130), POP, PARSE_REQUEST(0), COMPLETE_REQUEST(0)),
	QUEUE("is_in_flight", Q_SIZE_8, M_FLAT, ADD_1, ADD_2, POP, IS_IN_FLIGHT(0), IS_IN_FLIGHT(0xe1), POP,
	      IS_IN_FLIGHT(0xe2), COMPLETE, IS_IN_FLIGHT(0xa0), IS_IN_FLIGHT(0xe3), IS_IN_FLIGHT(0xd1),
	      IS_IN_FLIGHT(0xe0), COMPLETE, IS_IN_FLIGHT(0xa1)),
	/*
	 * A second virtio_queue_init() makes no token valid again. The next head is the same, so
	 * the tokens differ only in the sequence number.
	 */
	QUEUE("init_again", Q_SIZE_8, M_FLAT, ADD_1, POP, INIT_AGAIN, IS_IN_FLIGHT(0xa0), START, ADD_1, POP,
	      COMPLETE_AS(0xa0, 1), COMPLETE, INIT_AGAIN_LATE, START, ADD_1, ADD_1, POP, POP, IS_IN_FLIGHT(0xe3),
	      COMPLETE, COMPLETE, ADD_THREE, POP_REQUEST, INIT_AGAIN, START, COMPLETE_REQUEST_AS(0xff), ADD_THREE,
	      POP_REQUEST, COMPLETE_REQUEST_AS(0xc9), COMPLETE_REQUEST(1)),
	QUEUE("request", Q_SIZE_8, M_FLAT, ADD_THREE, ADD_THREE, POP_REQUEST, POP_REQUEST, STREAM(0, 9), STREAM(1, 30),
	      COMPLETE_REQUEST(30), COMPLETE_REQUEST(29), DRIVER_ADD_INDIRECT, 2, R(0, 16), R(64, 30), W(128, 1), 0,
	      POP_REQUEST, STREAM(0, 90), COMPLETE_REQUEST(0), NOTIFY),
	QUEUE("request_shapes", Q_SIZE_8, M_FLAT, ADD_2, ADD_2, ADD_THREE, POP_REQUEST, STREAM(1, 9),
	      COMPLETE_REQUEST(9), POP_REQUEST_OF(5, 0x80), STREAM(0, 90), STREAM(1, 90), COMPLETE_REQUEST(16),
	      POP_REQUEST_OF(0, 3), COMPLETE_REQUEST(99)),
	QUEUE("request_wrong", Q_SIZE_8, M_FLAT, ADD_THREE, POP_REQUEST_OF(17, 8), COMPLETE_REQUEST(0), ADD_THREE,
	      POP_REQUEST_OF(16, 2), COMPLETE_REQUEST(0), DRIVER_ADD, 1, R(0, 16), R(8, 17), POP_REQUEST,
	      COMPLETE_REQUEST(0), CHAIN(3, 0, 0), R(128, 3), W(130, 3), R(132, 3), POP_REQUEST, COMPLETE_REQUEST(0)),
	QUEUE("request_stale", Q_SIZE_8, M_FLAT, ADD_THREE, ADD_THREE, POP_REQUEST, POP_REQUEST, COMPLETE_REQUEST(30),
	      COMPLETE_REQUEST_AS(0xff), COMPLETE_REQUEST_AS(0xc1), DEVICE(DEVICE_RESET), 0, DEVICE(DEVICE_START), 0,
	      COMPLETE_REQUEST_AS(0xff)),
	QUEUE("request_logged", Q_SIZE_8, M_LOGGED, ADD_THREE, POP_REQUEST, STREAM(1, 30), COMPLETE_REQUEST(30),
	      NOTIFY),
	QUEUE("request_in_order", Q_SIZE_8 | Q_IN_ORDER, M_FLAT, ADD_THREE, ADD_THREE, POP_REQUEST, POP_REQUEST,
	      DEVICE(DEVICE_COMPLETE_REQUEST), LIVE_2ND, 30, 1, COMPLETE_REQUEST(30)),
	QUEUE("request_second_map", Q_SIZE_8, M_SECOND_LOGGED, ADD_THREE, ADD_THREE, POP_REQUEST,
	      DEVICE(DEVICE_SET_MEMORY), 1, POP_REQUEST, COMPLETE_REQUEST(30), COMPLETE_REQUEST(30)),
	QUEUE("request_not_mapped", Q_SIZE_8, M_NOT_MAPPED, ADD_THREE, POP_REQUEST, POP, PARSE_REQUEST(0), UNPOP,
	      DRIVER_MAP_PAGE, 0, POP_REQUEST, COMPLETE_REQUEST(30)),
	QUEUE("request_replayed", Q_SIZE_8, M_FLAT, ADD_THREE, ADD_2, ADD_THREE, POP_REQUEST, POP, PARSE_REQUEST(1),
	      POP, PARSE_REQUEST(2), DEVICE(DEVICE_MIGRATE), 1, 0, 0, 0, 0, 0, PARSE_REQUEST(0), COMPLETE_REQUEST(30),
	      PARSE_REQUEST(0), PARSE_REQUEST(1), COMPLETE_REQUEST(16)),
	/*
	 * Some requests lie in other regions than the request before, in two regions, or across a
	 * border of two regions. The device reads the index once for several requests.
	 */
	QUEUE("request_regions", Q_SIZE_8, M_HALVES, ADD_TABLE_OF(0, R(70, 16), W(80, 30), W(75, 1)),
	      ADD_TABLE_OF(48, R(70, 16), R(80, 30), W(75, 1)), ADD_TABLE_OF(96, R(170, 16), W(80, 30), W(175, 1)),
	      ADD_TABLE_OF(144, R(70, 16), W(180, 30), W(75, 1)), ADD_TABLE_OF(192, R(70, 16), W(180, 30), W(175, 1)),
	      POP_REQUEST, POP_REQUEST, POP_REQUEST, POP_REQUEST, POP_REQUEST, COMPLETE_REQUEST(30),
	      COMPLETE_REQUEST(0), COMPLETE_REQUEST(30), COMPLETE_REQUEST(30), COMPLETE_REQUEST(9),
	      ADD_TABLE_OF(0, R(70, 16), W(80, 30), W(75, 1)), ADD_TABLE_OF(48, R(70, 16), W(120, 60), W(75, 1)),
	      ADD_TABLE_OF(96, R(126, 16), W(80, 30), W(75, 1)), ADD_TABLE_OF(144, R(70, 16), W(80, 0), W(75, 1)),
	      POP_REQUEST, POP_REQUEST, POP_REQUEST, POP_REQUEST, COMPLETE_REQUEST(30), COMPLETE_REQUEST(60),
	      COMPLETE_REQUEST(30), COMPLETE_REQUEST(0)),
	/*
	 * The second table begins in the last 16 bytes of the region that contains the first table,
	 * and continues past the end of memory.
	 */
	QUEUE("table_end", Q_SIZE_8, M_FLAT, ADD_TABLE_OF(0, R(70, 16), W(80, 30), W(75, 1)), DRIVER_DESC, 0x80,
	      LAST_16, 128, 9, 1, 1, DRIVER_DESC, 1, LAST_16, 32, 4, 0, DRIVER_OFFER, 1, POP, WALK, COMPLETE, POP, WALK,
	      COMPLETE),
	/*
	 * The data of the second request begins in another region than the first request's data,
	 * and continues into the region of the first request's data.
	 */
	QUEUE("request_border", Q_SIZE_8, M_HALVES, ADD_TABLE_OF(0, R(70, 16), W(180, 30), W(75, 1)),
	      ADD_TABLE_OF(48, R(70, 16), W(115, 60), W(75, 1)), POP_REQUEST, POP_REQUEST, STREAM(1, 60),
	      COMPLETE_REQUEST(30), STREAM(1, 60), COMPLETE_REQUEST(60)),
	/* The headers are too long for the fast path. The second header lies across two regions. */
	QUEUE("request_long_header", Q_SIZE_8, M_HALVES, ADD_TABLE_OF(0, R(70, 100), W(90, 30), W(85, 1)),
	      ADD_TABLE_OF(48, R(107, 100), W(80, 30), W(75, 1)), POP_REQUEST_OF(100, 0x80), POP_REQUEST_OF(100, 0x80),
	      COMPLETE_REQUEST(30), COMPLETE_REQUEST(30)),
	/*
	 * The dirty log covers only the status, only the data, or the status and the last 8 data
	 * bytes.
	 */
	QUEUE("request_half_logged", Q_SIZE_8, M_HALF_LOGGED, ADD_TABLE_OF(0, R(70, 16), W(80, 30), W(175, 1)),
	      ADD_TABLE_OF(48, R(70, 16), W(180, 30), W(75, 1)), ADD_TABLE_OF(96, R(70, 16), W(80, 30), W(175, 9)),
	      POP_REQUEST, POP_REQUEST, POP_REQUEST, COMPLETE_REQUEST(30), COMPLETE_REQUEST(30), COMPLETE_REQUEST(38)),
	QUEUE("event_idx", Q_SIZE_8 | Q_EVENT_IDX, M_FLAT, USED_EVENT(1), ADD_1, ADD_2, SERVE, NOTIFY, SERVE, NOTIFY,
	      DEVICE(DEVICE_ENABLE), ADD_1, DEVICE(DEVICE_ENABLE), USED_EVENT(0), SERVE, NOTIFY,
	      DEVICE(DEVICE_DISABLE)),
	QUEUE("flags", Q_SIZE_8, M_FLAT, DRIVER_FIELD, 1, ADD_1, SERVE, NOTIFY, DEVICE(DEVICE_DISABLE),
	      DEVICE(DEVICE_ENABLE), ADD_1, DEVICE(DEVICE_ENABLE), DEVICE(DEVICE_AVAILABLE)),
	QUEUE("in_order", Q_SIZE_8 | Q_IN_ORDER, M_FLAT, ADD_1, ADD_2, ADD_1, POP, POP, POP, COMPLETE_2ND, NOTIFY,
	      DEVICE(DEVICE_SAVE_IN_FLIGHT), 1, COMPLETE, NOTIFY, COMPLETE, UNPOP),
	QUEUE("batch", Q_SIZE_8, M_FLAT, ADD_1, ADD_1, ADD_2, POP, POP, POP, DEVICE(DEVICE_BATCH), 2, LIVE, 3, LIVE_2ND,
	      4, DEVICE(DEVICE_BATCH), 2, LIVE, 3, LIVE, 4, COMPLETE),
	QUEUE("unpop", Q_SIZE_8, M_FLAT, ADD_1, ADD_1, ADD_2, POP, POP, DEVICE(DEVICE_UNPOP), 1, LIVE, UNPOP, POP,
	      COMPLETE_2ND, DEVICE(DEVICE_UNPOP), 1, LIVE),
	QUEUE("stale", Q_SIZE_8, M_FLAT, ADD_1, ADD_1, POP, COMPLETE, COMPLETE_AS(0xa0, 1), POP,
	      COMPLETE_AS(0xb0, 0xfe, 1), COMPLETE_AS(0xd3, 1), COMPLETE_AS(0xe0, 1), COMPLETE, DEVICE(DEVICE_RESET), 0,
	      COMPLETE_AS(0xa0, 1)),
	/* The in-flight state of an idle head must not be accepted as a token. */
	QUEUE("idle_token", Q_SIZE_8, M_FLAT, ADD_1, POP, COMPLETE, COMPLETE_AS(0xe1, 1), ADD_1, SERVE),
	QUEUE("streams", Q_SIZE_8, M_LOGGED, DRIVER_ADD, 3, R(0, 20), R(64, 30), W(128, 40), W(0, 9), POP, RESOLVE,
	      STREAM(0, 25), STREAM(5, 30, 3), STREAM(9, 12), STREAM(1, 5), STREAM(13, 4, 0), STREAM(12, 9, 1),
	      STREAM(3, 200), STREAM(4, 50, 1), STREAM(8, 3), COMPLETE),
	QUEUE("small_array", Q_SIZE_8, M_FLAT, DRIVER_ADD, 3, R(0, 20), R(64, 30), W(128, 40), W(0, 9), POP,
	      DEVICE(DEVICE_RESOLVE), 2, 0, COMPLETE),
	QUEUE("loop", Q_SIZE_8, M_FLAT, CHAIN(3, 0, 1), R(128, 0), R(129, 1), R(130, 2), CHAIN(1, 4, 1), W(130, 2), POP,
	      WALK, POP, DEVICE(DEVICE_RESOLVE), 0x80, 1, COMPLETE, COMPLETE, SERVE),
	QUEUE("full", Q_SIZE_8, M_FLAT, CHAIN(8, 0, 0), X4(R(128, 3)), X4(W(130, 3)), POP, WALK, COMPLETE,
	      CHAIN(8, 2, 1), X4(R(128, 3)), X4(W(130, 3)), SERVE),
	QUEUE("order", Q_SIZE_8, M_FLAT, CHAIN(3, 0, 0), R(128, 3), W(130, 3), R(132, 3), POP, WALK, COMPLETE),
	QUEUE("full_table", Q_SIZE_8, M_FLAT, TABLE(8, 0, 0), X4(R(128, 3)), X4(W(130, 3)), POP, WALK, TABLE(9, 1, 0),
	      X4(R(128, 3)), X4(W(130, 3)), W(1, 1), SERVE),
	QUEUE("late_table", Q_SIZE_8, M_FLAT, TABLE(7, 2, 0x80), X4(R(128, 3)), X4(W(130, 3)), POP, WALK,
	      TABLE(8, 2, 0x84), X4(R(128, 3)), X4(W(130, 3)), SERVE, TABLE(2, 2, 0xc0), R(0, 1), R(0, 1), SERVE),
	QUEUE("long_table", Q_SIZE_8 | Q_LONG, M_FLAT, TABLE(10, 2, 0), X4(R(128, 3)), X4(W(130, 3)), W(1, 1), W(2, 1),
	      POP, WALK, COMPLETE),
	QUEUE("unnegotiated", Q_SIZE_8 | Q_NO_INDIRECT, M_FLAT, ADD_TABLE, SERVE),
	QUEUE("unnegotiated_allowed", Q_SIZE_8 | Q_NO_INDIRECT | Q_UNNEGOTIATED, M_FLAT, ADD_TABLE, SERVE),
	/* A nested table: the second descriptor of the first table is indirect, too. */
	QUEUE("nested", Q_SIZE_8, M_FLAT, CHAIN_AT_192, TABLE(3, 0, 0), R(128, 3), R(192, 16), W(130, 3), DRIVER_DESC,
	      0x80 | 16, 144, 192, 32, 5, 2, POP, WALK, COMPLETE),
	QUEUE("nested_first", Q_SIZE_8, M_FLAT, CHAIN_AT_192, TABLE(2, 0, 0), R(128, 3), W(130, 3), DRIVER_DESC, 0x80,
	      144, 192, 32, 4, 0, POP, WALK, COMPLETE),
	QUEUE("buffers", Q_SIZE_8, M_FLAT, DRIVER_DESC, 0, 255, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 1, DRIVER_OFFER, 0,
	      SERVE, DRIVER_DESC, 2, 128, 0xc6, 0, 0, DRIVER_OFFER, 2, SERVE),
	QUEUE("too_many_bytes", Q_SIZE_8, M_FLAT, DRIVER_DESC, 0, 128, 0xc5, 1, 1, DRIVER_DESC, 1, 128, 0xc5, 1, 2,
	      DRIVER_DESC, 2, 128, 1, 2, 0, DRIVER_OFFER, 0, DRIVER_OFFER, 1, POP, POP, WALK, DEVICE(DEVICE_WALK), 1,
	      COMPLETE),
	/*
	 * The chain has exactly 2^32 bytes. The descriptor table is misaligned in host memory, so
	 * descriptors are copied.
	 */
	QUEUE("all_bytes", Q_SIZE_8, M_MISALIGNED, DRIVER_DESC, 0, 128, 0xc6, 1, 1, DRIVER_DESC, 1, 128, 1, 2, 0,
	      DRIVER_OFFER, 0, POP, WALK, COMPLETE),
	QUEUE("bad_next", Q_SIZE_8, M_FLAT, DRIVER_DESC, 0, 128, 9, 1, 8, DRIVER_OFFER, 0, SERVE, DRIVER_DESC, 0, 128,
	      9, 1, 9, DRIVER_OFFER, 0, POP, WALK),
	QUEUE("bad_head", Q_SIZE_8, M_FLAT, ADD_1, POP, DRIVER_OFFER, 8, POP, POP, COMPLETE, UNPOP),
	QUEUE("head_twice", Q_SIZE_8, M_FLAT, DRIVER_OFFER, 1, DRIVER_OFFER, 1, POP, POP, POP, COMPLETE),
	QUEUE("head_waits", Q_SIZE_8 | Q_IN_ORDER, M_FLAT, DRIVER_OFFER, 1, DRIVER_OFFER, 2, DRIVER_OFFER, 2, POP, POP,
	      COMPLETE_2ND, POP, COMPLETE),
	QUEUE("avail_ahead", Q_SIZE_8, M_FLAT, DRIVER_AVAIL_IDX, 9, POP, POP, DEVICE(DEVICE_AVAILABLE)),
	QUEUE("avail_full", Q_SIZE_8, M_FLAT, DRIVER_AVAIL_IDX, 8, DEVICE(DEVICE_AVAILABLE), POP, POP),
	QUEUE("avail_back", Q_SIZE_8, M_FLAT, ADD_1, ADD_1, DEVICE(DEVICE_AVAILABLE), DRIVER_AVAIL_IDX, 0xff,
	      DEVICE(DEVICE_ENABLE), POP),
	QUEUE("wrap", Q_SIZE_8 | Q_EVENT_IDX, M_FLAT, DEVICE(DEVICE_SET_INDEX), 0x25, DEVICE(DEVICE_SET_INDEX), 0x24,
	      DRIVER_OFFER, 0, DRIVER_OFFER, 1, DRIVER_OFFER, 2, NOTIFY, SERVE, SERVE, USED_EVENT(0), SERVE, NOTIFY),
	QUEUE("migrate", Q_SIZE_8, M_FLAT, ADD_1, ADD_2, ADD_1, POP, POP, POP, COMPLETE_2ND, DEVICE(DEVICE_MIGRATE), 1,
	      0, 0, 0, 0, NOTIFY, COMPLETE, UNPOP, DEVICE(DEVICE_REPLAY), 0, COMPLETE, DEVICE(DEVICE_SAVE)),
	QUEUE("restore_wrong", Q_SIZE_8, M_FLAT, ADD_1, SERVE, DEVICE(DEVICE_SAVE), DEVICE(DEVICE_RESET), 0,
	      DEVICE(DEVICE_RESTORE), 2, 9, DEVICE(DEVICE_RESTORE), 2, 8, DEVICE(DEVICE_REPLAY), 0xc8,
	      DEVICE(DEVICE_REPLAY), 0xc1),
	QUEUE("restore_flags", Q_SIZE_8, M_FLAT, ADD_1, SERVE, DEVICE(DEVICE_SAVE), DEVICE(DEVICE_RESET), 0,
	      DEVICE(DEVICE_RESTORE), 0x20, 0, 2, DEVICE(DEVICE_RESTORE), 0x20, 1, 2, DEVICE(DEVICE_RESTORE), 0x20, 2,
	      0x80, DEVICE(DEVICE_RESTORE), 0x20, 3, 0xff, DEVICE(DEVICE_RESTORE), 0x20, 4, 3, DEVICE(DEVICE_RESTORE),
	      0x20, 5, 2, DEVICE(DEVICE_RESTORE), 0x20, 3, 1, ADD_1, SERVE),
	QUEUE("restart", Q_SIZE_8, M_FLAT, ADD_1, POP, DEVICE(DEVICE_START), 0, DEVICE(DEVICE_RESET), 1, POP, NOTIFY,
	      DEVICE(DEVICE_START), 16, 9, DEVICE(DEVICE_START), 6, ADD_1, SERVE, NOTIFY),
	QUEUE("second_map", Q_SIZE_8, M_SECOND_LOGGED, ADD_2, ADD_2, POP, RESOLVE, DEVICE(DEVICE_SET_MEMORY), 1,
	      STREAM(3, 9), COMPLETE, SERVE, NOTIFY, DEVICE(DEVICE_ENABLE)),
	/*
	 * A completed request no longer uses its map, even while its used element waits for an
	 * older request.
	 */
	QUEUE("second_map_in_order", Q_SIZE_8 | Q_IN_ORDER, M_SECOND_LOGGED, ADD_2, ADD_2, ADD_1, POP, POP,
	      DEVICE(DEVICE_SET_MEMORY), 1, POP, COMPLETE_2ND, COMPLETE, COMPLETE),
	QUEUE("second_map_elsewhere", Q_SIZE_8, M_SECOND_ELSEWHERE, ADD_2, POP, DEVICE(DEVICE_SET_MEMORY), 1, POP,
	      COMPLETE),
	QUEUE("logged", Q_SIZE_8 | Q_EVENT_IDX, M_LOGGED, ADD_2, SERVE, DEVICE(DEVICE_ENABLE), NOTIFY, ADD_TABLE,
	      SERVE),
	QUEUE("top", Q_SIZE_8, M_TOP, ADD_2, SERVE, DRIVER_DESC, 0, 255, 0xff, 0xf8, 255, 255, 255, 255, 255, 255, 255,
	      8, 2, 0, DRIVER_OFFER, 0, SERVE),
	QUEUE("misaligned", Q_SIZE_8, M_MISALIGNED, ADD_2, ADD_TABLE, SERVE, SERVE, NOTIFY, DEVICE(DEVICE_ENABLE)),
	QUEUE("one_byte", Q_SIZE_8, M_ONE_BYTE, ADD_2, ADD_TABLE, SERVE, SERVE, NOTIFY, DEVICE(DEVICE_ENABLE)),
	QUEUE("sixes", Q_SIZE_8, M_SIXES_LOGGED, ADD_2, ADD_TABLE, SERVE, SERVE, NOTIFY, CHAIN(8, 2, 1), X4(R(128, 3)),
	      X4(W(130, 3)), POP, WALK),
	QUEUE("pages", Q_SIZE_8, M_PAGES, ADD_2, ADD_TABLE, SERVE, POP, WALK, DEVICE(DEVICE_SET_MEMORY), 1, COMPLETE,
	      NOTIFY),
	QUEUE("not_mapped", Q_SIZE_8, M_NOT_MAPPED, ADD_2, POP, RESOLVE, UNPOP, DRIVER_MAP_PAGE, 0, SERVE),
	QUEUE("holes", Q_SIZE_8, M_HOLES, CHAIN(1, 0, 0), R(140, 60), SERVE, CHAIN(1, 1, 0), W(157, 60), SERVE,
	      CHAIN(1, 2, 0), W(156, 20), SERVE),
	QUEUE("bad_areas", Q_SIZE_8, 0, 0, 0, 0x1c, 3, 4, 5, POP, DEVICE(DEVICE_START), 0, ADD_1, SERVE),
	QUEUE("overlapping_areas", Q_SIZE_8, 0, 0, 0, 0x3c, 0, 0, 0, ADD_1, SERVE, DRIVER_OFFER, 1, SERVE, NOTIFY),
};

const size_t queue_seed_count = sizeof queue_seeds / sizeof queue_seeds[0];
