# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A status behind data that was not written is counted.
# file: virtio-queue/include/virtio/inline/request.h
# harness: fuzz_queue
s/written < data_bytes ? written : data_bytes + 1;/written + 1;/
