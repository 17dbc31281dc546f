# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Data that begins in the new cached region is accepted although it ends outside.
# file: virtio-queue/include/virtio/inline/request.h
# harness: fuzz_queue
s/if (!far || !virtio_impl_memory_in_region(far, data->addr, data->len))/if (!far)/
