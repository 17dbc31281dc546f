# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The used length counts what was not read.
# file: virtio-blk/src/execute.c
# harness: fuzz_blk
s/virtio_request_used(request->in\.bytes, result->written)/virtio_request_used(request->in.bytes, request->in.bytes)/
