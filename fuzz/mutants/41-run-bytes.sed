# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path of a resolution takes chains of any number of bytes.
# file: virtio-queue/src/chain.c
# harness: fuzz_queue
s/if (VIRTIO_LIKELY(r.bytes_left >= 0)) {/if (VIRTIO_LIKELY(r.bytes_left != 0)) {/
