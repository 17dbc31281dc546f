# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path accepts data that begins in the new cached region and ends outside.
# file: virtio-queue/include/virtio/inline/request.h
# harness: fuzz_queue
s/if (!far || !virtio_impl_memory_in_region(far, data->addr, data->len))/if (!far)/
