# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path of a resolution uses an indirect descriptor as a buffer.
# file: virtio-queue/src/run.h
# harness: fuzz_queue
s/if (VIRTIO_UNLIKELY(flags & VRING_DESC_F_INDIRECT))/if (false)/
