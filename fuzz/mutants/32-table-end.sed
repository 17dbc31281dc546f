# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A table that begins in the cached region is accepted although it ends outside.
# file: virtio-queue/include/virtio/inline/chain.h
# harness: fuzz_queue
s/if (VIRTIO_UNLIKELY(!virtio_impl_memory_in_region(region, d->addr, d->len))) {/if (VIRTIO_UNLIKELY(d->addr - region->addr >= region->writable)) {/
