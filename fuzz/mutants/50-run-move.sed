# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A run moves to the region where a buffer begins, although the buffer ends outside.
# file: virtio-queue/src/run.h
# harness: fuzz_queue
s/if (VIRTIO_UNLIKELY(!region) || VIRTIO_UNLIKELY(!virtio_impl_memory_in_region(region, d->addr, d->len))) {/if (VIRTIO_UNLIKELY(!region)) {/
