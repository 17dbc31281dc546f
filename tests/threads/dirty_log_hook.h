/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Each source of the program dirty-log-interleave is compiled with this header in front. Then every
 * mark in a dirty log calls dirty_log_hook(), which copies the marked page at once.
 */
#ifndef VIRTIO_TESTS_DIRTY_LOG_HOOK_H
#define VIRTIO_TESTS_DIRTY_LOG_HOOK_H

#include <stddef.h>

/*
 * Sets `bits` in *at, a unit of the dirty log. `size` is the unit's size in bytes, and must be 1.
 * Then copies the marked pages.
 */
void dirty_log_hook(void *at, size_t size, unsigned long bits);

#define __atomic_fetch_or(at, bits, order) dirty_log_hook((at), sizeof *(at), (bits))

#endif
