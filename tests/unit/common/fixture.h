/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The fixture of the queue and chain tests: a small guest in one of three memories, a mock driver
 * in that guest, and a queue. Everything is in one struct.
 */
#ifndef VIRTIO_TESTS_FIXTURE_H
#define VIRTIO_TESTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <virtio/queue_mock.h>

/* Bytes of a descriptor and of an element of the used ring (virtio 1.4, 2.7.5 and 2.7.8). */
#define DESC_BYTES 16
#define USED_BYTES 8

#define FIXTURE_BASE 0x1000u  /* guest address of the memory; the rings begin there */
#define FIXTURE_BYTES 0x1000u /* size of the memory */
#define FIXTURE_END (FIXTURE_BASE + FIXTURE_BYTES)
#define FIXTURE_DATA 0x1400u  /* guest address for buffers */
#define FIXTURE_TABLE 0x1800u /* guest address for indirect tables */
#define FIXTURE_MAX_SIZE 16u  /* largest queue */

#define FIXTURE_GRANULES (FIXTURE_BYTES / 16 + 1)

enum fixture_memory {
	FIXTURE_FLAT, /* one region, without a translation */
	/* Each guest byte is a region. Adjacent regions lie apart on the host. */
	FIXTURE_ONE_BYTE,
	/*
	 * A translation. Each look-up covers 16 bytes, and rewrites the descriptors that earlier
	 * look-ups have read.
	 */
	FIXTURE_CHANGING,
};

struct fixture {
	enum fixture_memory kind;
	struct virtio_mock mock;
	struct virtio_queue queue;
	/* Settings for fixture_start(); later the configuration of the started queue. */
	struct virtio_queue_config config;
	struct virtio_mock_slot slots[FIXTURE_MAX_SIZE];
	struct virtio_inflight inflight[FIXTURE_MAX_SIZE];
	struct virtio_memory_map device_map;
	struct virtio_memory_map driver_map;

	/* The translation of FIXTURE_CHANGING. */
	uint64_t table;     /* address of the indirect table; a look-up covers one entry */
	uint64_t bad_start; /* look-ups in [bad_start, bad_end) fail with bad_error if not 0 */
	uint64_t bad_end;
	int bad_error;
	uint32_t lookups; /* number of calls of the translation */
	bool rewriting;   /* whether look-ups rewrite descriptors; set by fixture_start() */
	uint8_t seen[FIXTURE_GRANULES];

	_Alignas(16) uint8_t ram[FIXTURE_BYTES];
	struct virtio_region regions[FIXTURE_BYTES];

	uint8_t saved_ram[FIXTURE_BYTES];
	struct virtio_queue saved_queue;
	struct virtio_inflight saved_inflight[FIXTURE_MAX_SIZE];
};

/*
 * Makes the memory, and the driver with its rings at FIXTURE_BASE. Prepares f->config for
 * fixture_start().
 */
void fixture_init(struct fixture *f, enum fixture_memory kind, uint32_t size);

/* Starts the queue with f->config. */
void fixture_start(struct fixture *f);

/* Makes the fixture and starts its queue, with the default configuration. */
void fixture_setup(struct fixture *f, enum fixture_memory kind, uint32_t size);

/* Returns the kind of memory that the list of tests gives to the running test. */
enum fixture_memory fixture_kind(void **state);

/* Adds a chain, and returns its head. */
uint16_t fixture_add(struct fixture *f, const struct virtio_mock_buffer *buffers, uint32_t count);

/*
 * Writes a chain that begins at descriptor `first`, and makes it available. Does not check the
 * chain.
 */
void fixture_offer_chain(struct fixture *f, uint32_t first, const struct virtio_mock_buffer *buffers, uint32_t count);

/* Makes a head available, without writing a descriptor. */
void fixture_offer_head(struct fixture *f, uint16_t head);

/*
 * Writes an indirect table at f->table and its descriptor at `first`, and makes this head
 * available.
 */
void fixture_offer_table(struct fixture *f, uint32_t first, uint16_t flags, const struct virtio_mock_buffer *buffers,
			 uint32_t count);

/* Adds `count` requests of one buffer each, pops them, and stores their tokens. */
void fixture_pop_some(struct fixture *f, struct virtio_token *tokens, uint32_t count);

/* Access the guest's memory for the test. */
void fixture_read(struct fixture *f, uint64_t addr, void *out, size_t len);
void fixture_write(struct fixture *f, uint64_t addr, const void *bytes, size_t len);
uint16_t fixture_get(struct fixture *f, enum virtio_mock_field field);
void fixture_set(struct fixture *f, enum virtio_mock_field field, uint16_t value);

/*
 * fixture_save() copies memory, queue and in-flight entries. fixture_ram_unchanged() returns
 * whether memory still equals the copy. fixture_unchanged() compares queue and in-flight entries,
 * too. Counters and cached regions may differ.
 */
void fixture_save(struct fixture *f);
bool fixture_ram_unchanged(const struct fixture *f);
bool fixture_unchanged(const struct fixture *f);

/* Makes entries of a list of tests, for one kind or for each kind of memory. */
extern enum fixture_memory fixture_kinds[3];
#define FIXTURE_ON(test, kind)                                                                                         \
	{                                                                                                              \
#test "_" #kind, test, NULL, NULL, &fixture_kinds[FIXTURE_##kind]                                      \
	}
#define FIXTURE_ON_ALL(test) FIXTURE_ON(test, FLAT), FIXTURE_ON(test, ONE_BYTE), FIXTURE_ON(test, CHANGING)

/* Buffers of a chain. */
#define READABLE(addr, len)                                                                                            \
	{                                                                                                              \
		(addr), (len), 0                                                                                       \
	}
#define WRITABLE(addr, len)                                                                                            \
	{                                                                                                              \
		(addr), (len), VRING_DESC_F_WRITE                                                                      \
	}

/* Makes a token from its sequence number and head, in the layout of <virtio/chain.h>. */
static inline struct virtio_token fixture_token(uint64_t sequence, uint16_t head)
{
	return (struct virtio_token){ sequence << 16 | head };
}

static inline uint64_t fixture_sequence(struct virtio_token token)
{
	return token.value >> 16;
}

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

#endif
