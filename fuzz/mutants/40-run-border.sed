# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path of a resolution accepts a buffer that begins in a region and ends outside.
# file: virtio-queue/src/run.h
# harness: fuzz_queue
s/VIRTIO_UNLIKELY(last >= r->region->writable)/VIRTIO_UNLIKELY(off >= r->region->writable)/
