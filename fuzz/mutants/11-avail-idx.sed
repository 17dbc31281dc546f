# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The available index may be ahead by more than the size of the queue.
# file: virtio-queue/src/queue_flow.c
# harness: fuzz_queue
s/ahead > queue->size || ahead < known/ahead < known/
