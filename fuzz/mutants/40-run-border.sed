# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path of a resolution accepts a buffer that begins in a region and ends outside.
# file: virtio-queue/src/chain.c
# harness: fuzz_queue
s/if (VIRTIO_UNLIKELY(d->len - 1 >= r->len - off))/if (VIRTIO_UNLIKELY(d->len == 0))/
