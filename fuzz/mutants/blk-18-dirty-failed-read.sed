# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The bytes that a failed call of the back end moved are not recorded in the dirty log.
# file: virtio-blk/src/execute.c
# harness: fuzz_blk
s/result->touched = error ? request->base\.data\.writable_bytes : transfer->at\.done;/result->touched = transfer->at.done;/
