# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A chain may have one descriptor more than the queue has.
# file: virtio-queue/src/queue.c
# harness: fuzz_queue
s/walk_left = (config->size + 1)/walk_left = (config->size + 2)/
