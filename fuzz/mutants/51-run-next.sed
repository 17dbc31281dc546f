# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path of a resolution reads the entry after the end of the table.
# file: virtio-queue/src/run.h
# harness: fuzz_queue
s/if (VIRTIO_UNLIKELY(r->next > r->last))/if (VIRTIO_UNLIKELY(r->next > r->last + VIRTIO_IMPL_DESC_BYTES))/
