/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What the tests of the mock driver share. */
#ifndef VIRTIO_TESTS_MOCK_FIXTURE_H
#define VIRTIO_TESTS_MOCK_FIXTURE_H

#include "../common/fixture.h"

#define SIZE 8u

static const struct virtio_mock_buffer out_in[] = { READABLE(FIXTURE_DATA, 16), WRITABLE(FIXTURE_DATA + 64, 32) };

/* A copy of the driver's books, to compare with; where it looked last is none of them. */
struct books {
	struct virtio_mock mock;
	struct virtio_mock_slot slots[FIXTURE_MAX_SIZE];
};

static inline void keep_books(const struct fixture *f, struct books *books)
{
	memset(books, 0, sizeof *books);
	memcpy(&books->mock, &f->mock, sizeof f->mock);
	memset(&books->mock.memory, 0, sizeof books->mock.memory);
	memcpy(books->slots, f->slots, sizeof f->slots);
}

static inline bool books_unchanged(const struct fixture *f, const struct books *before)
{
	struct books now;

	keep_books(f, &now);
	return memcmp(&now, before, sizeof now) == 0;
}

#endif
