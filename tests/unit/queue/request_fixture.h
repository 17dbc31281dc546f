/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The fixture of the tests of <virtio/request.h>: a request as it should be, its layout in
 * descriptors, every way to pop it, and a check of every byte.
 */
#ifndef VIRTIO_TESTS_REQUEST_FIXTURE_H
#define VIRTIO_TESTS_REQUEST_FIXTURE_H

#include <virtio/reader.h>
#include <virtio/request.h>

#include "../common/fixture.h"

#define SIZE 16u
#define ROOM 64u
#define HEADER 40u
#define MAX_BYTES 64u
#define GUARD 0x5a
#define UNTOUCHED UINT64_C(0x5a5a5a5a5a5a5a5a)
#define FILL 0xee   /* of writable bytes */
#define STATUS 0x3c /* every request's */
#define OUT FIXTURE_DATA
#define IN (FIXTURE_DATA + 0x200u)
#define HEAP 0x20000u /* guest address of a region of its own */

struct request_fixture {
	struct fixture f;
	struct virtio_request request;
	struct virtio_segment segments[ROOM + 1];
	uint8_t header[MAX_BYTES + 1];
	uint64_t border; /* border between two regions of flat memory, or 0 */
	uint32_t next;   /* descriptor of the next head */
	struct virtio_region regions[2];
};

/* Describes a request to make: its parts, and how they are cut into buffers. */
struct ask {
	uint32_t header, out, in; /* bytes */
	uint64_t read_cuts;       /* bit n: a buffer ends after byte n of header and data out */
	uint64_t write_cuts;      /* the same for data in and status */
	uint32_t gap;             /* bytes between two buffers */
	uint32_t empty;           /* 1 + place of an empty buffer among the others, or 0 */
	bool empty_writable, no_status, indirect;
	uint32_t way; /* how it is popped: see below */
	/* Address of the first byte to be read, or written; 0 for the default. */
	uint64_t read_at, write_at;
	int error; /* expected error, or 0 */
	/*
	 * After this error no status can be written, because the chain is malformed or the byte is
	 * bad.
	 */
	bool status_lost;
};

/* The layout that the driver gave the request. */
struct sent {
	struct virtio_mock_buffer buffers[SIZE + 1];
	uint32_t count;
	uint64_t read_at[MAX_BYTES], write_at[MAX_BYTES]; /* address of each byte */
	uint32_t needed;                                  /* segments */
	uint16_t head;
};

/* The shapes. Three buffers come first, as in most requests. */
#define REQUEST_SHAPES 7u
extern const struct ask request_shapes[REQUEST_SHAPES];

/* Lengths of headers: up to the limit of the fast path, and beyond. */
#define REQUEST_HEADERS 11u
extern const uint32_t request_headers[REQUEST_HEADERS];

/*
 * Ways to get a request: by a pop that reads the available index, by a pop that need not read it,
 * and by parsing a popped chain.
 */
enum way { POP, POP_COUNTED, PARSE, WAYS };

/*
 * Makes a request with so many bytes of header, and so many segments. All members are filled with
 * garbage first, so that no check passes by chance.
 */
void request_prepare(struct request_fixture *w, uint32_t header, uint32_t capacity);

/* A started queue, with indirect tables, in one of the three memories. */
void request_setup(struct request_fixture *w, enum fixture_memory kind);

/*
 * Makes flat memory up to an address, and a region after it. The region may be a heap block, so
 * that a sanitizer sees accesses beyond.
 */
void request_setup_two(struct request_fixture *w, uint64_t addr, uint32_t flags, void *heap, uint64_t bytes);

/* Lays a request out. Offers a request that was laid out. */
void request_lay_out(const struct request_fixture *w, const struct ask *a, struct sent *s);
void request_offer(struct request_fixture *w, struct sent *s, bool indirect);

/*
 * Writes the content of a request that was laid out, as the checks expect it. request_add() lays
 * out, writes and offers.
 */
void request_put(struct request_fixture *w, const struct ask *a, const struct sent *s);
void request_add(struct request_fixture *w, const struct ask *a, struct sent *s);

/*
 * Pops a request, which writes nothing to guest memory. The driver changes memory of the changing
 * kind.
 */
int request_take(struct request_fixture *w, uint32_t way);

/*
 * Tries to pop a request, and expects this answer instead. Checks that request and header have not
 * changed. A chain that could not be parsed is unpopped.
 */
void request_take_none(struct request_fixture *w, int answer, uint32_t way);

/*
 * Check that the popped request is as laid out, or has this error, and that it can be completed.
 */
void request_judge(struct request_fixture *w, const struct ask *a, const struct sent *s);
void request_check_error(struct request_fixture *w, uint16_t head, int error, const uint64_t *status);

/* Lays a request out, pops it, checks it and completes it. */
void request_go_through(struct request_fixture *w, const struct ask *a);

/*
 * Tries a layout as it is, and with an empty buffer at each place; each direct and in a table, and
 * in all ways.
 */
void request_try_layout(struct request_fixture *w, struct ask a, bool with_empty);

/*
 * Checks that the queue has counted this error and has nothing in flight. Only a malformed chain
 * counts as a fault.
 */
void request_check_faults(struct request_fixture *w, int error);

#endif
