/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Seeds of the console harness. */
#include <virtio/bindings/virtio_console.h>

#include "../common/seeds.h"
#include "steps.h"

#define CONSOLE(name, ...) SEED("fuzz_console", name, __VA_ARGS__)

/* The beginning of an input: memory, options, capacity of input - 1, segments - 1. */
#define FLAT 0
#define PAGES CONSOLE_M_TRANSLATED
#define ALL (CONSOLE_O_MULTIPORT | CONSOLE_O_SIZE | CONSOLE_O_EMERGENCY)
#define PLAIN FLAT, 0, 31, 63
#define MANY FLAT, ALL, 31, 63

/* Queues: receive and transmit of port 0 and of port 1. The control queues are 4 and 5. */
#define RX0 0
#define TX0 1
#define RX1 2
#define TX1 3

/* Buffers: an address in units of 16 bytes, a length, a direction. */
#define IN(place, len) place, len, 1
#define OUT(place, len) place, len, 0
#define ADD(queue, count, ...) CONSOLE_ADD, queue, (count)-1, __VA_ARGS__
#define TABLE(queue, count, ...) CONSOLE_ADD, queue, ((count)-1) | 8, __VA_ARGS__
#define DAMAGED(queue, count, damage, ...) CONSOLE_ADD, queue, ((count)-1) | (damage) << 4, __VA_ARGS__

#define TYPE(port, len) CONSOLE_TYPE, port, len
#define RECEIVE(port) CONSOLE_RECEIVE, port
#define TRANSMIT(port, fours) CONSOLE_TRANSMIT, port, fours
#define SAY(port, event, value) CONSOLE_SAY, port, event, value, 8, CONSOLE_TAKE
#define HEAR_ALL CONSOLE_HEAR, 255
#define DEVICE_READY SAY(0, VIRTIO_CONSOLE_DEVICE_READY, 1)
#define PORT_READY(port) SAY(port, VIRTIO_CONSOLE_PORT_READY, 1)
#define PORT_OPEN(port, value) SAY(port, VIRTIO_CONSOLE_PORT_OPEN, value)
#define PLUG(port, how) CONSOLE_PLUG, (port) | (how)
#define UNPLUG(port) CONSOLE_UNPLUG, port
#define CLIENT(port) CONSOLE_CLIENT, port

const struct seed console_seeds[] = {
	CONSOLE("input", PLAIN, ADD(RX0, 1, IN(0, 16)), TYPE(0, 5), RECEIVE(0), ADD(RX0, 1, IN(4, 8)), TYPE(0, 20),
		RECEIVE(0), ADD(RX0, 1, IN(8, 200)), RECEIVE(0)),
	CONSOLE("input_held", PLAIN, TYPE(0, 40), RECEIVE(0), ADD(RX0, 1, IN(0, 3)), RECEIVE(0), TYPE(0, 9),
		ADD(RX0, 1, IN(4, 60)), RECEIVE(0)),
	CONSOLE("input_pieces", FLAT, 0, 31, 63, TYPE(0, 30), ADD(RX0, 2, IN(0, 3), IN(9, 4)), RECEIVE(0),
		TABLE(RX0, 5, IN(0, 3), IN(9, 0), IN(20, 1), IN(126, 64), IN(170, 9)), RECEIVE(0)),
	CONSOLE("input_few_segments", FLAT, 0, 31, 1, TYPE(0, 30),
		TABLE(RX0, 4, IN(0, 3), IN(9, 4), IN(20, 1), IN(40, 9)), RECEIVE(0),
		TABLE(RX0, 4, IN(0, 3), IN(9, 4), IN(20, 1), IN(40, 9)), RECEIVE(0)),
	CONSOLE("input_misdirected", PLAIN, TYPE(0, 9), ADD(RX0, 1, OUT(0, 16)), ADD(RX0, 2, OUT(0, 4), IN(4, 16)),
		ADD(RX0, 1, IN(8, 4)), RECEIVE(0)),
	CONSOLE("input_malformed", PLAIN, TYPE(0, 9), DAMAGED(RX0, 1, 1, IN(0, 4)), DAMAGED(RX0, 1, 2, IN(0, 4)),
		DAMAGED(RX0, 3, 3, IN(0, 4), IN(4, 4), IN(8, 4)), ADD(RX0, 2, IN(0, 4), OUT(4, 4)), RECEIVE(0),
		ADD(RX0, 1, IN(8, 4)), RECEIVE(0)),
	CONSOLE("input_bad_buffer", PLAIN, TYPE(0, 9), ADD(RX0, 1, IN(0xdf, 17)), ADD(RX0, 1, IN(0x90, 4)),
		ADD(RX0, 2, IN(0, 4), IN(0xf1, 4)), ADD(RX0, 1, IN(0, 255)), RECEIVE(0), ADD(RX0, 1, IN(0xa0, 9)),
		RECEIVE(0)),
	CONSOLE("input_across", PLAIN, TYPE(0, 20), ADD(RX0, 1, IN(0, 20)), RECEIVE(0), TYPE(0, 32),
		ADD(RX0, 1, IN(4, 9)), RECEIVE(0), ADD(RX0, 1, IN(8, 60)), RECEIVE(0)),
	CONSOLE("input_regions", PLAIN, TYPE(0, 30), ADD(RX0, 1, IN(0x7f, 40)), RECEIVE(0)),
	CONSOLE("input_pages", PAGES, 0, 31, 63, TYPE(0, 30), ADD(RX0, 1, IN(7, 20)), RECEIVE(0), CONSOLE_MAP, 1,
		RECEIVE(0), TYPE(0, 9), ADD(RX0, 1, IN(0, 20)), RECEIVE(0)),
	CONSOLE("input_logged", PLAIN, TYPE(0, 30), ADD(RX0, 1, IN(0xa0, 20)), ADD(RX0, 2, IN(0xa8, 3), IN(0xb0, 60)),
		RECEIVE(0)),
	CONSOLE("input_cleared", PLAIN, TYPE(0, 60), CONSOLE_CLEAR, 0, TYPE(0, 3), ADD(RX0, 1, IN(0, 9)), RECEIVE(0)),
	CONSOLE("output", PLAIN, ADD(TX0, 1, OUT(0, 16)), TRANSMIT(0, 99), ADD(TX0, 1, OUT(4, 200)),
		ADD(TX0, 1, OUT(8, 1)), TRANSMIT(0, 99)),
	CONSOLE("output_blocked", PLAIN, ADD(TX0, 1, OUT(0, 40)), ADD(TX0, 1, OUT(4, 9)), TRANSMIT(0, 3), CONSOLE_POKE,
		1, 77, TRANSMIT(0, 0), TRANSMIT(0, 4), TRANSMIT(0, 99)),
	CONSOLE("output_pieces", PLAIN, TABLE(TX0, 5, OUT(0, 3), OUT(9, 0), OUT(20, 1), OUT(126, 64), OUT(170, 9)),
		TRANSMIT(0, 5), TRANSMIT(0, 99)),
	CONSOLE("output_few_segments", FLAT, 0, 31, 0,
		TABLE(TX0, 5, OUT(0, 3), OUT(9, 4), OUT(20, 1), OUT(126, 64), OUT(170, 9)), TRANSMIT(0, 1),
		TRANSMIT(0, 2), CONSOLE_MOVE, TRANSMIT(0, 8), CONSOLE_MOVE, TRANSMIT(0, 99)),
	CONSOLE("output_two_segments", FLAT, 0, 31, 1, TABLE(TX0, 4, OUT(0, 30), OUT(9, 40), OUT(20, 10), OUT(40, 64)),
		TRANSMIT(0, 9), CONSOLE_MOVE, TRANSMIT(0, 9), CONSOLE_MOVE, TRANSMIT(0, 99)),
	CONSOLE("output_long", PLAIN,
		TABLE(TX0, 6, OUT(0, 0xf8), OUT(0, 0xf8), OUT(0, 0xf8), OUT(0, 0xf8), OUT(0, 0xf8), OUT(0, 0xf8)),
		TRANSMIT(0, 255), TRANSMIT(0, 255), TRANSMIT(0, 255), TRANSMIT(0, 255)),
	CONSOLE("output_empty", PLAIN, ADD(TX0, 1, OUT(0, 0)), TABLE(TX0, 3, OUT(0, 0), OUT(0xf1, 0), OUT(9, 0)),
		TRANSMIT(0, 0)),
	CONSOLE("output_misdirected", PLAIN, ADD(TX0, 1, IN(0, 16)), ADD(TX0, 2, OUT(0, 4), IN(4, 16)),
		TABLE(TX0, 3, OUT(0, 4), OUT(0, 4), IN(4, 16)), ADD(TX0, 1, OUT(8, 4)), TRANSMIT(0, 99)),
	CONSOLE("output_malformed", PLAIN, DAMAGED(TX0, 1, 1, OUT(0, 4)), DAMAGED(TX0, 2, 2, OUT(0, 4), OUT(4, 4)),
		DAMAGED(TX0, 3, 3, OUT(0, 4), OUT(4, 4), OUT(8, 4)), ADD(TX0, 1, OUT(8, 4)), TRANSMIT(0, 99),
		ADD(TX0, 2, IN(0, 4), OUT(8, 4)), ADD(TX0, 2, OUT(0, 4), OUT(0xf3, 4)), ADD(TX0, 1, OUT(0, 255)),
		TRANSMIT(0, 99)),
	CONSOLE("output_read_only", PLAIN, ADD(TX0, 1, OUT(0x90, 9)), ADD(TX0, 1, OUT(0x7f, 40)), TRANSMIT(0, 99)),
	CONSOLE("output_pages", PAGES, 0, 31, 63, ADD(TX0, 1, OUT(7, 20)), TRANSMIT(0, 99), CONSOLE_MAP, 1,
		TRANSMIT(0, 2), TRANSMIT(0, 99)),
	CONSOLE("output_moved", PLAIN, ADD(TX0, 1, OUT(0, 40)), ADD(TX0, 1, OUT(4, 9)), TRANSMIT(0, 3), CONSOLE_MOVE,
		TRANSMIT(0, 4), CONSOLE_MOVE, CONSOLE_MOVE, TRANSMIT(0, 99)),
	CONSOLE("output_reset", PLAIN, ADD(TX0, 1, OUT(0, 40)), TRANSMIT(0, 3), TYPE(0, 9), CONSOLE_RESET, 1,
		ADD(TX0, 1, OUT(9, 9)), TRANSMIT(0, 99), ADD(RX0, 1, IN(0, 20)), RECEIVE(0)),
	CONSOLE("output_unplugged", MANY, ADD(TX0, 1, OUT(0, 40)), ADD(TX0, 1, OUT(9, 40)), TRANSMIT(0, 3), UNPLUG(0),
		TRANSMIT(0, 99), PLUG(0, 4), ADD(TX0, 1, OUT(9, 9)), TRANSMIT(0, 99)),
	CONSOLE("output_replugged", MANY, ADD(TX0, 1, OUT(0, 40)), TRANSMIT(0, 3), UNPLUG(0), PLUG(0, 4), CONSOLE_MOVE,
		TRANSMIT(0, 99)),
	CONSOLE("ports", MANY, PLUG(1, 8), PLUG(2, 4 | 8 | 0x50), DEVICE_READY, HEAR_ALL, PORT_READY(0), PORT_READY(2),
		PORT_READY(1), HEAR_ALL, CLIENT(1), HEAR_ALL, CLIENT(1), HEAR_ALL),
	CONSOLE("ports_resume", MANY, PLUG(1, 8), CLIENT(1), DEVICE_READY, PORT_READY(1), HEAR_ALL, CONSOLE_RESET, 1,
		PORT_READY(1), HEAR_ALL, PLUG(2, 0), HEAR_ALL, PORT_READY(2), HEAR_ALL, DEVICE_READY, HEAR_ALL),
	CONSOLE("ports_twice", MANY, PLUG(1, 8), DEVICE_READY, DEVICE_READY, HEAR_ALL, DEVICE_READY, PORT_READY(1),
		PORT_READY(1), HEAR_ALL, PORT_READY(1), HEAR_ALL),
	CONSOLE("ports_failed", MANY, SAY(0, VIRTIO_CONSOLE_DEVICE_READY, 0), HEAR_ALL, DEVICE_READY, HEAR_ALL,
		PORT_READY(0), SAY(0, VIRTIO_CONSOLE_PORT_READY, 0), HEAR_ALL, PORT_READY(0), HEAR_ALL),
	CONSOLE("ports_one_by_one", MANY, PLUG(1, 8), CLIENT(1), DEVICE_READY, CONSOLE_HEAR, 40, CONSOLE_HEAR, 7,
		CONSOLE_HEAR, 40, PORT_READY(1), CONSOLE_HEAR, 9, CONSOLE_HEAR, 40, CONSOLE_HEAR, 40),
	CONSOLE("ports_other_client", MANY, PLUG(1, 0), CLIENT(1), DEVICE_READY, PORT_READY(1), HEAR_ALL, TYPE(1, 9),
		CLIENT(1), CLIENT(1), TYPE(1, 5), CONSOLE_HEAR, 40, HEAR_ALL, PORT_OPEN(1, 1), ADD(RX1, 1, IN(0, 40)),
		RECEIVE(1)),
	CONSOLE("ports_open", MANY, PLUG(1, 0), PORT_READY(1), TYPE(1, 9), ADD(RX1, 1, IN(0, 4)), ADD(RX1, 1, IN(4, 4)),
		RECEIVE(1), PORT_OPEN(1, 1), RECEIVE(1), PORT_OPEN(1, 0), ADD(RX1, 1, IN(8, 4)), RECEIVE(1),
		PORT_OPEN(1, 9), RECEIVE(1)),
	CONSOLE("ports_replugged", MANY, PLUG(1, 8), DEVICE_READY, HEAR_ALL, PORT_READY(1), HEAR_ALL, UNPLUG(1),
		PLUG(1, 0), PORT_READY(1), PORT_OPEN(1, 1), CONSOLE_HEAR, 40, HEAR_ALL, PORT_READY(1), HEAR_ALL,
		UNPLUG(1), HEAR_ALL, UNPLUG(1)),
	CONSOLE("ports_opened_early", MANY, PLUG(1, 0), DEVICE_READY, HEAR_ALL, PORT_READY(1), UNPLUG(1), PLUG(1, 0),
		HEAR_ALL, PORT_OPEN(1, 1), TYPE(1, 9), ADD(RX1, 1, IN(0, 4)), RECEIVE(1), PORT_READY(1),
		PORT_OPEN(1, 1), PORT_READY(1), RECEIVE(1), PORT_OPEN(1, 1), RECEIVE(1)),
	CONSOLE("ports_successor", MANY, PLUG(1, 0), PORT_READY(1), HEAR_ALL, UNPLUG(1), PLUG(1, 4),
		ADD(TX1, 1, OUT(0, 9)), TRANSMIT(1, 9), TYPE(1, 5), ADD(RX1, 1, IN(4, 9)), RECEIVE(1), HEAR_ALL,
		CONSOLE_MOVE, ADD(TX1, 1, OUT(9, 9)), TRANSMIT(1, 9), RECEIVE(1), PORT_READY(1), ADD(TX1, 1, OUT(2, 9)),
		TRANSMIT(1, 9), RECEIVE(1)),
	CONSOLE("ports_never_added", MANY, PLUG(1, 8), DEVICE_READY, CONSOLE_HEAR, 40, UNPLUG(1), HEAR_ALL),
	CONSOLE("ports_data", MANY, PLUG(1, 0), ADD(TX1, 1, OUT(0, 40)), TRANSMIT(1, 3), UNPLUG(1), TRANSMIT(1, 99),
		ADD(TX1, 1, OUT(0, 40)), TRANSMIT(1, 99), RECEIVE(1)),
	CONSOLE("ports_resized", MANY, CONSOLE_RESIZE, 0, 9, DEVICE_READY, PORT_READY(0), HEAR_ALL, CONSOLE_RESIZE,
		0x10, 9, CONSOLE_RESIZE, 0x20, 9, HEAR_ALL, CONSOLE_RESIZE, 1, 3, CONSOLE_CONFIG, 0, 12, 0),
	CONSOLE("ports_moved", MANY, PLUG(1, 8), CLIENT(1), PLUG(2, 4), DEVICE_READY, CONSOLE_MOVE, HEAR_ALL,
		PORT_READY(1), CONSOLE_MOVE, CONSOLE_HEAR, 40, CONSOLE_MOVE, CLIENT(1), CONSOLE_MOVE, HEAR_ALL,
		UNPLUG(2), CONSOLE_MOVE, HEAR_ALL),
	CONSOLE("messages_wrong", MANY, SAY(0, VIRTIO_CONSOLE_PORT_ADD, 1), SAY(0, VIRTIO_CONSOLE_PORT_REMOVE, 1),
		SAY(0, VIRTIO_CONSOLE_CONSOLE_PORT, 1), SAY(0, VIRTIO_CONSOLE_RESIZE, 1),
		SAY(0, VIRTIO_CONSOLE_PORT_NAME, 1), SAY(0, 77, 1), PORT_READY(2), PORT_READY(3), PORT_READY(0xff),
		PORT_OPEN(2, 1), PORT_OPEN(0xff, 1), SAY(0, VIRTIO_CONSOLE_PORT_READY, 7),
		SAY(0, VIRTIO_CONSOLE_DEVICE_READY, 7), HEAR_ALL),
	CONSOLE("messages_short", MANY, CONSOLE_SAY, 0, VIRTIO_CONSOLE_PORT_OPEN, 1, 7, CONSOLE_TAKE, CONSOLE_SAY, 0,
		VIRTIO_CONSOLE_PORT_OPEN, 1, 0, CONSOLE_TAKE, CONSOLE_SAY, 0, VIRTIO_CONSOLE_PORT_OPEN, 1, 12,
		CONSOLE_TAKE),
	CONSOLE("messages_malformed", MANY, ADD(5, 1, IN(0, 8)), ADD(5, 1, OUT(0xf1, 8)), DAMAGED(5, 1, 1, OUT(0, 8)),
		CONSOLE_TAKE, DEVICE_READY, ADD(4, 1, OUT(0, 8)), CONSOLE_HEAR, 40, ADD(4, 2, IN(0, 3), IN(9, 20)),
		HEAR_ALL),
	CONSOLE("messages_unnegotiated", FLAT, ALL | CONSOLE_O_UNNEGOTIATED, 31, 63, PLUG(1, 0), DEVICE_READY, HEAR_ALL,
		RECEIVE(1), TRANSMIT(1, 9), UNPLUG(0), PLUG(0, 0), TYPE(0, 9), ADD(RX0, 1, IN(0, 9)), RECEIVE(0)),
	CONSOLE("config", MANY, CONSOLE_CONFIG, 0, 16, 0, CONSOLE_CONFIG, 8, 0x84, 7, CONSOLE_CONFIG, 7, 0x82, 7,
		CONSOLE_CONFIG, 9, 0x81, 7, CONSOLE_CONFIG, 3, 4, 0, CONSOLE_CONFIG, 0xfe, 0xff, 4, 0, CONSOLE_CONFIG,
		0, 0, 0),
	CONSOLE("config_plain", PLAIN, CONSOLE_CONFIG, 0, 16, 0, CONSOLE_CONFIG, 8, 0x84, 7),
	CONSOLE("config_without_port", FLAT, ALL, 31, 63, UNPLUG(0), CONSOLE_CONFIG, 0, 16, 0),
	CONSOLE("forged", MANY, PLUG(1, 8), CONSOLE_FORGE, 0, 0x30, 0, 0, 0, 0, CONSOLE_FORGE, 0, 0x33, 0x2c, 1, 2, 9,
		CONSOLE_FORGE, 1, 0x17, 0x30, 0, 0, 0, CONSOLE_FORGE, 1, 0x11, 2, 0, 0, 0, CONSOLE_FORGE, 2, 0, 1, 0, 0,
		0, CONSOLE_FORGE, 3, 0, 0, 0, 0, 0),
};

const size_t console_seed_count = sizeof console_seeds / sizeof console_seeds[0];
