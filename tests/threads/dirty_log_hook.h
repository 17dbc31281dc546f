/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * dirty_log_interleave includes this header before each source of the library. Then every mark in a
 * dirty log calls the program, which copies the marked page at once.
 */
#ifndef VIRTIO_TESTS_DIRTY_LOG_HOOK_H
#define VIRTIO_TESTS_DIRTY_LOG_HOOK_H

#include <stddef.h>

/*
 * Sets bits in *at, which is a uint8_t or an unsigned long of `size` bytes. Then copies the marked
 * pages.
 */
void dirty_log_hook(void *at, size_t size, unsigned long bits);

#define __atomic_fetch_or(at, bits, order) dirty_log_hook((at), sizeof *(at), (bits))

#endif
