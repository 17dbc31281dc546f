# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The used length counts the status although bytes before it were not written.
# file: virtio-queue/include/virtio/inline/request.h
# harness: fuzz_blk
s/written < data_bytes ? written : data_bytes + 1;/(written < data_bytes ? written : data_bytes) + 1;/
