# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path accepts headers that are longer than the checked range.
# file: virtio-queue/src/request.c
# harness: fuzz_queue
s/header_bytes <= VIRTIO_MEMORY_SMALL/header_bytes <= 2 * VIRTIO_MEMORY_SMALL/
