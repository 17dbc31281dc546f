# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The used length counts the status even after data that was not written.
# file: virtio-queue/include/virtio/inline/request.h
# harness: fuzz_queue
s/written < data_bytes ? written : data_bytes + 1;/written + 1;/
