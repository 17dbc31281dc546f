# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path uses the first byte of the last buffer as the status, whatever the length.
# file: virtio-queue/include/virtio/inline/request.h
# harness: fuzz_queue
s|if (VIRTIO_UNLIKELY(status->len != 1))|if (false)|
