# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Under write-through the flush comes before the write.
# file: virtio-blk/src/execute.c
# harness: fuzz_blk
s/error = move_data(backend, in ? backend->ops->readv : backend->ops->writev, \&steps->transfer, bytes);/error = !in \&\& commit(blk) ? VIRTIO_EIO : move_data(backend, in ? backend->ops->readv : backend->ops->writev, \&steps->transfer, bytes); if (!in \&\& error == 0) return 0;/
