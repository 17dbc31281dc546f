# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The status counts although there is a gap before it.
# file: virtio-blk/src/execute.c
# harness: fuzz_blk
s/virtio_request_used(request->in\.bytes, result->written)/(uint32_t)result->written + 1/
