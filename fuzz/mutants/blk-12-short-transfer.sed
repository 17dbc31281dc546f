# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# After a short transfer the bytes that were not moved are reported as moved.
# file: virtio-blk/src/execute.c
# harness: fuzz_blk
s/virtio_stream_advance(&transfer->at, (uint64_t)moved);/virtio_stream_advance(\&transfer->at, wanted);/
