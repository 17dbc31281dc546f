# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The flush comes before the write.
# file: virtio-blk/src/execute.c
# harness: fuzz_blk
s/error = transfer_all(backend, backend->ops->writev, \&transfer);/return commit(blk) ? VIRTIO_EIO : transfer_all(backend, backend->ops->writev, \&transfer);/
