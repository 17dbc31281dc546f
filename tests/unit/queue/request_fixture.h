/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A fixture for tests of <virtio/request.h>. A test describes a request and its layout in
 * descriptors. The fixture can pop the request in every way, and checks every byte.
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
#define FILL 0xee   /* initial content of writable bytes */
#define STATUS 0x3c /* status byte of every request */
#define OUT FIXTURE_DATA
#define IN (FIXTURE_DATA + 0x200u)
#define HEAP 0x20000u /* guest address of a separate region */

struct request_fixture {
	struct fixture f;
	struct virtio_request request;
	struct virtio_segment segments[ROOM + 1];
	uint8_t header[MAX_BYTES + 1];
	uint64_t border; /* where flat memory is cut into two regions; 0 if it is not cut */
	uint32_t next;   /* the next head, modulo SIZE */
	struct virtio_region regions[2];
};

/* Describes a request to make: its parts, and how they are cut into buffers. */
struct ask {
	uint32_t header, out, in; /* bytes of the header, of data out and of data in */
	uint64_t read_cuts;       /* bit n: a buffer ends after byte n of header and data out */
	uint64_t write_cuts;      /* bit n: a buffer ends after byte n of data in and the status */
	uint32_t gap;             /* bytes between two buffers */
	uint32_t empty;           /* 1 + position of an empty buffer; 0 if no buffer is empty */
	bool empty_writable, no_status, indirect;
	uint32_t way; /* how the request is popped; a value of enum way */
	/* Address of the first readable and of the first writable byte; 0 for the default. */
	uint64_t read_at, write_at;
	int error; /* expected error, or 0 */
	/*
	 * Whether no status can be written: the chain is malformed, a descriptor is unreadable, or
	 * the status byte is bad.
	 */
	bool status_lost;
};

/* The layout of a request in the driver's memory. */
struct sent {
	struct virtio_mock_buffer buffers[SIZE + 1];
	uint32_t count;
	uint64_t read_at[MAX_BYTES], write_at[MAX_BYTES]; /* address of each byte */
	uint32_t needed;                                  /* number of segments, header included */
	uint16_t head;
};

/* Shapes of requests. The first three have three direct buffers each. */
#define REQUEST_SHAPES 7u
extern const struct ask request_shapes[REQUEST_SHAPES];

/* Lengths of headers: 1, some lengths around 8, 16 and 32, and HEADER. */
#define REQUEST_HEADERS 11u
extern const uint32_t request_headers[REQUEST_HEADERS];

/*
 * Ways to get a request: a pop that reads the available index, a pop that need not read it, or a
 * parse of a popped chain.
 */
enum way { POP, POP_COUNTED, PARSE, WAYS };

/*
 * Prepares w->request for this number of header bytes and segments. First fills w->request,
 * w->segments and w->header with garbage, so no check passes by chance.
 */
void request_prepare(struct request_fixture *w, uint32_t header, uint32_t capacity);

/* Starts a queue with indirect tables in one of the three memories. */
void request_setup(struct request_fixture *w, enum fixture_memory kind);

/*
 * Starts a queue in two regions: flat memory cut at addr, or flat memory and a heap block at addr.
 * A sanitizer reports accesses beyond the end of a heap block.
 */
void request_setup_two(struct request_fixture *w, uint64_t addr, uint32_t flags, void *heap, uint64_t bytes);

/*
 * request_lay_out() chooses the buffers of a request. request_offer() makes these buffers available
 * as a chain.
 */
void request_lay_out(const struct request_fixture *w, const struct ask *a, struct sent *s);
void request_offer(struct request_fixture *w, struct sent *s, bool indirect);

/*
 * request_put() writes the content of a laid-out request, as the checks expect it. request_add()
 * lays a request out, writes its content and makes it available.
 */
void request_put(struct request_fixture *w, const struct ask *a, const struct sent *s);
void request_add(struct request_fixture *w, const struct ask *a, struct sent *s);

/*
 * Gets a request in the given way. The call must not change guest memory. In FIXTURE_CHANGING this
 * is not checked, because its look-ups change memory.
 */
int request_pop(struct request_fixture *w, uint32_t way);

/*
 * Tries to get a request. The call must return `answer`, and must not change request or header.
 * Unpops a chain that was popped but not parsed.
 */
void request_pop_none(struct request_fixture *w, int answer, uint32_t way);

/*
 * Check the popped request, and complete it. request_judge() expects the result that `a` describes.
 * request_check_error() expects `error`.
 */
void request_judge(struct request_fixture *w, const struct ask *a, const struct sent *s);
void request_check_error(struct request_fixture *w, uint16_t head, int error, const uint64_t *status);

/* Lays a request out, pops it, checks it and completes it. */
void request_go_through(struct request_fixture *w, const struct ask *a);

/*
 * Tries a layout with direct descriptors and with an indirect table, each with all ways to get the
 * request. If with_empty is set and the layout has no empty buffer, also adds an empty buffer at
 * each position in turn.
 */
void request_try_layout(struct request_fixture *w, struct ask a, bool with_empty);

/*
 * Checks that the queue has counted this error once as a chain fault, and has nothing in flight.
 * For 0, VIRTIO_ESHORT and VIRTIO_ENOBUFS the queue must not have counted a chain fault.
 */
void request_check_faults(struct request_fixture *w, int error);

#endif
