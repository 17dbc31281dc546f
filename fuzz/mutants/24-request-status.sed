# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The status of a request is taken for the first byte of its buffer, however long that is.
# file: virtio-queue/include/virtio/inline/request.h
# harness: fuzz_queue
s|if (VIRTIO_UNLIKELY(status->len != 1))|if (false)|
