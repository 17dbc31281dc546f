# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The data before the status, in the same buffer, is lost.
# file: virtio-queue/include/virtio/inline/request.h
# harness: fuzz_blk
s|if (VIRTIO_UNLIKELY(status->len != 1))|if (false)|
