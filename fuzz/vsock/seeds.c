/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Seeds of the socket harness. */
#include "../common/seeds.h"
#include "steps.h"

#define VSOCK(name, ...) SEED("fuzz_vsock", name, __VA_ARGS__)

/* All features, a buffer of 100 bytes, at most 10 packets, payloads of at most 50 bytes. */
#define TABLE VSOCK_CONNECTIONS, 7, 100, 9, 50
/* The set-up of TABLE, but each packet has an overhead of this number of bytes. */
#define COSTLY(bytes) VSOCK_CONNECTIONS, 15, 100, 9, 50, bytes
#define STREAM 0x40
#define SEQPACKET 0x80
/*
 * A packet that is received without error: op, ports, flags, and a length below 8. With bit 0x80 of
 * op the packet belongs to an existing connection.
 */
#define PACKET(op, ports, flags, len) VSOCK_RECEIVE, 0, op, ports, flags, len
#define REQUEST(ports) PACKET(1, ports, STREAM, 0)
/*
 * Ops for packets of connection 0. Bit 0x80 is set, and the byte modulo 10 is the op. With OF,
 * fwd_cnt does not change. With OF_ALL, the guest has forwarded all bytes.
 */
#define OF(op) (uint8_t)(130 + (op))
#define OF_ALL(op) (uint8_t)(210 + (op))
#define RW(len) PACKET(OF(5), 0, 0, len)
#define LONG_RW(...) VSOCK_RECEIVE, 0, OF(5), 0, 0, 8, __VA_ARGS__
#define SHUT(flags) PACKET(OF(4), 0, flags, 0)
#define NEXT VSOCK_NEXT
#define ACCEPT VSOCK_ACCEPT, 0, 0
#define OPEN REQUEST(0), ACCEPT, NEXT
#define SEND(bytes) VSOCK_SEND, 0, bytes, 0, 255, 0
#define FORWARD_ALL VSOCK_FORWARD, 0, 3
#define SHUTDOWN(flags) VSOCK_SHUTDOWN, 0, flags
#define CONNECT VSOCK_CONNECT, 0
#define TIME(t) VSOCK_TIME, t

/* A data area of one region, payloads of at most 180 bytes, an array of 64 segments. */
#define FLAT VSOCK_PACKETS, 0, 0, 180, 63
/*
 * The set-up of FLAT, but the data area begins with eight regions of 30 bytes. Every second of
 * these regions has a dirty log. The rest of the data area is a region with a dirty log.
 */
#define CUT VSOCK_PACKETS, 8, 30, 0, 30, 2, 30, 0, 30, 2, 30, 0, 30, 2, 30, 0, 30, 2, 2, 180, 63
/* A buffer of 44 bytes, a buffer of any length, and no bytes to write to memory. */
#define HEADER_AT(place) 1, place
#define BUFFER_AT(place, len) 2, place, len
#define NO_BYTES 0, 0
/* Writes the 44 bytes of a header, with this length of the payload. */
#define HEADER_BYTES(place, len)                                                                                       \
	44, place, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, len, 0, 0, 0, 1, 0, 5, 0,   \
		9, 9, 9, 9, 8, 8, 8, 8, 7, 7, 7, 7

const struct seed vsock_seeds[] = {
	VSOCK("open", TABLE, OPEN, RW(5), FORWARD_ALL, SEND(20), RW(0)),
	VSOCK("refuse", TABLE, REQUEST(0), VSOCK_RESET, 0, 0, NEXT, REQUEST(0)),
	VSOCK("stray", TABLE, PACKET(5, 0, STREAM, 4), PACKET(5, 0x14, STREAM, 4), REQUEST(0), NEXT, NEXT),
	VSOCK("stray_full", TABLE, PACKET(5, 0, STREAM, 4), PACKET(5, 0x14, STREAM, 4), PACKET(5, 0x28, STREAM, 4),
	      PACKET(5, 0x38, STREAM, 4), NEXT, PACKET(3, 0x14, STREAM, 0), NEXT, NEXT),
	VSOCK("unknown_type", TABLE, PACKET(1, 0, 0xc0, 0), OPEN, PACKET(OF(5), 0, 0xc0, 4), NEXT),
	VSOCK("foreign", TABLE, PACKET(1, 0, STREAM, 0xc0), 9, PACKET(1, 0, STREAM, 0x20), 3),
	VSOCK("overrun", TABLE, OPEN, LONG_RW(100), RW(1), NEXT),
	VSOCK("updates", TABLE, OPEN, LONG_RW(60), FORWARD_ALL, LONG_RW(40), NEXT, LONG_RW(50)),
	VSOCK("update_later", TABLE, OPEN, LONG_RW(20), FORWARD_ALL, LONG_RW(60), NEXT, LONG_RW(30)),
	VSOCK("asks", TABLE, OPEN, PACKET(OF(7), 0, 0, 0), NEXT, NEXT),
	VSOCK("credit", TABLE, OPEN, VSOCK_SEND, 0, 0xd0, 232, 3, 0, 255, 255, SEND(5), NEXT, TIME(4), NEXT,
	      PACKET(OF_ALL(6), 0, 0, 0), SEND(5)),
	VSOCK("credit_ahead", TABLE, OPEN, SEND(20), VSOCK_RECEIVE, 0, 236, 0, 0, 0, 5, SEND(5)),
	VSOCK("credit_forged", TABLE, OPEN, VSOCK_FORGED, 0, 0xc3, 233, 3, 0, 0, 0, VSOCK_FORGED, 0, 0xc3, 232, 3, 0, 0,
	      0),
	VSOCK("costly", COSTLY(200), OPEN, SEND(1), SEND(1), SEND(1), SEND(1), SEND(1), NEXT,
	      PACKET(OF_ALL(6), 0, 0, 0), SEND(1), SEND(1), SEND(1), SEND(1), SEND(1)),
	VSOCK("half_close", TABLE, OPEN, RW(5), SHUT(2), SEND(3), FORWARD_ALL, SHUTDOWN(2), NEXT,
	      PACKET(OF(3), 0, 0, 0)),
	VSOCK("close", TABLE, OPEN, RW(5), SHUT(3), FORWARD_ALL, NEXT, OPEN),
	VSOCK("sticky", TABLE, OPEN, SHUT(2), SHUT(0), SHUT(1), NEXT),
	VSOCK("close_ours", TABLE, OPEN, SHUTDOWN(3), NEXT, RW(1), NEXT),
	VSOCK("close_late", TABLE, OPEN, SHUTDOWN(3), NEXT, TIME(39), TIME(1), NEXT),
	VSOCK("after_shut", TABLE, OPEN, SHUT(2), RW(3), NEXT),
	VSOCK("connect", TABLE, CONNECT, NEXT, PACKET(OF(2), 0, 0, 0), SEND(5), RW(3)),
	VSOCK("connect_late", TABLE, CONNECT, NEXT, TIME(10), NEXT, CONNECT, TIME(10)),
	VSOCK("connect_ports", TABLE, CONNECT, CONNECT, CONNECT, CONNECT, VSOCK_RESET, 1, 0, CONNECT),
	VSOCK("connect_held", TABLE, VSOCK_HOLD, CONNECT, NEXT, PACKET(OF(2), 0, 0, 0), NEXT, VSOCK_HOLD, CONNECT,
	      NEXT),
	VSOCK("accept_late", TABLE, REQUEST(0), TIME(10), NEXT),
	VSOCK("twice", TABLE, OPEN, PACKET(OF(1), 0, 0, 0), REQUEST(0), ACCEPT, NEXT),
	VSOCK("full", TABLE, REQUEST(0), REQUEST(0x14), REQUEST(0x28), REQUEST(0x38), REQUEST(0x48), NEXT,
	      PACKET(3, 0, STREAM, 0), REQUEST(0x48)),
	VSOCK("seqpacket", TABLE, PACKET(1, 0, SEQPACKET, 0), ACCEPT, NEXT, PACKET(OF(5), 0, 1, 5),
	      PACKET(OF(5), 0, 3, 0), VSOCK_SEND, 0, 0, 1, 0, 0, VSOCK_SEND, 0, 9, 3, 4, 0, VSOCK_SEND, 0, 5, 3, 9, 0),
	VSOCK("migrate", TABLE, OPEN, RW(5), SEND(9), CONNECT, VSOCK_MIGRATE, NEXT, FORWARD_ALL, SEND(9), VSOCK_CLEAR,
	      CONNECT),
	VSOCK("grow", TABLE, OPEN, VSOCK_GROW, 0, 0, 150, NEXT, LONG_RW(150), VSOCK_GROW, 0, 0, 20),

	VSOCK("tx_one", FLAT, VSOCK_TX_CHAIN, 0, BUFFER_AT(0, 100), HEADER_BYTES(0, 56)),
	VSOCK("tx_two", FLAT, VSOCK_TX_CHAIN, 1, HEADER_AT(0), BUFFER_AT(20, 100), HEADER_BYTES(0, 100), VSOCK_TX_CHAIN,
	      1, HEADER_AT(0), BUFFER_AT(20, 100), HEADER_BYTES(0, 40)),
	VSOCK("tx_long", FLAT, VSOCK_TX_CHAIN, 1, HEADER_AT(0), BUFFER_AT(20, 100), HEADER_BYTES(0, 101),
	      VSOCK_TX_CHAIN, 1, HEADER_AT(0), BUFFER_AT(20, 250), HEADER_BYTES(0, 181)),
	VSOCK("tx_many", CUT, VSOCK_TX_CHAIN, 4, BUFFER_AT(0, 20), BUFFER_AT(2, 10), BUFFER_AT(3, 30), BUFFER_AT(8, 50),
	      BUFFER_AT(12, 30), HEADER_BYTES(0, 60)),
	VSOCK("tx_writable", FLAT, VSOCK_TX_CHAIN, 0x41, HEADER_AT(0), BUFFER_AT(20, 100), HEADER_BYTES(0, 0)),
	VSOCK("tx_short", FLAT, VSOCK_TX_CHAIN, 0, BUFFER_AT(0, 43), NO_BYTES),
	VSOCK("tx_unseen", FLAT, VSOCK_TX_CHAIN | VSOCK_UNSEEN, 1, HEADER_AT(0), BUFFER_AT(20, 100),
	      HEADER_BYTES(0, 40), VSOCK_RX_CHAIN | VSOCK_UNSEEN, 1, HEADER_AT(0), BUFFER_AT(20, 100), NO_BYTES, 100),
	VSOCK("rx_one", FLAT, VSOCK_RX_CHAIN, 0, BUFFER_AT(0, 150), NO_BYTES, 100),
	VSOCK("rx_two", FLAT, VSOCK_RX_CHAIN, 1, HEADER_AT(0), BUFFER_AT(20, 100), NO_BYTES, 100, VSOCK_RX_CHAIN, 1,
	      HEADER_AT(0), BUFFER_AT(20, 250), NO_BYTES, 181),
	VSOCK("rx_header", FLAT, VSOCK_RX_CHAIN, 0, HEADER_AT(0), NO_BYTES, 0, VSOCK_RX_CHAIN, 0, BUFFER_AT(0, 43),
	      NO_BYTES, 0),
	VSOCK("rx_much", FLAT, VSOCK_RX_CHAIN, 1, HEADER_AT(0), BUFFER_AT(20, 100), NO_BYTES, 101),
	VSOCK("rx_many", CUT, VSOCK_RX_CHAIN, 3, BUFFER_AT(0, 43), BUFFER_AT(5, 60), BUFFER_AT(11, 30),
	      BUFFER_AT(15, 30), NO_BYTES, 100),
	VSOCK("rx_directly", CUT, VSOCK_RX_CHAIN | VSOCK_DIRECTLY, 3, BUFFER_AT(0, 43), BUFFER_AT(5, 60),
	      BUFFER_AT(11, 30), BUFFER_AT(15, 30), NO_BYTES, 100, VSOCK_RX_CHAIN | VSOCK_DIRECTLY, 1, HEADER_AT(3),
	      BUFFER_AT(20, 100), NO_BYTES, 90),
	VSOCK("rx_readable", FLAT, VSOCK_RX_CHAIN, 0x41, HEADER_AT(0), BUFFER_AT(20, 100), NO_BYTES, 0),
	VSOCK("buffers", FLAT, VSOCK_BUFFERS, 2, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8,
	      20, 0, 0, 0, 1, 0, 5, 0, 9, 9, 9, 9, 8, 8, 8, 8, 7, 7, 7, 7, 10, 15),
};

const size_t vsock_seed_count = sizeof vsock_seeds / sizeof vsock_seeds[0];
