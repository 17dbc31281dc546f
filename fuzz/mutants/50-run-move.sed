# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path of a resolution changes to a region that contains only the start of a buffer.
# file: virtio-queue/src/run.h
# harness: fuzz_queue
s/if (VIRTIO_UNLIKELY(!region) || VIRTIO_UNLIKELY(!virtio_impl_memory_in_region(region, d->addr, d->len))) {/if (VIRTIO_UNLIKELY(!region)) {/
