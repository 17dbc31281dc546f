/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Parts that the tests of the mock driver share. */
#ifndef VIRTIO_TESTS_MOCK_FIXTURE_H
#define VIRTIO_TESTS_MOCK_FIXTURE_H

#include "../common/fixture.h"

#define SIZE 8u

static const struct virtio_mock_buffer out_in[] = { READABLE(FIXTURE_DATA, 16), WRITABLE(FIXTURE_DATA + 64, 32) };

/* A copy of the driver's records, for comparisons. The cursor is left out. */
struct mock_copy {
	struct virtio_mock mock;
	struct virtio_mock_slot slots[FIXTURE_MAX_SIZE];
};

static inline void copy_mock(const struct fixture *f, struct mock_copy *copy)
{
	memset(copy, 0, sizeof *copy);
	memcpy(&copy->mock, &f->mock, sizeof f->mock);
	memset(&copy->mock.memory, 0, sizeof copy->mock.memory);
	memcpy(copy->slots, f->slots, sizeof f->slots);
}

static inline bool mock_unchanged(const struct fixture *f, const struct mock_copy *before)
{
	struct mock_copy now;

	copy_mock(f, &now);
	return memcmp(&now, before, sizeof now) == 0;
}

#endif
