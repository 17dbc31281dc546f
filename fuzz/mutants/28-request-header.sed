# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Data that shares a buffer with the header is lost.
# file: virtio-queue/src/request.c
# harness: fuzz_queue
s/used = (uint32_t)(reader\.at\.segments - data->segments);/used = (uint32_t)(reader.at.segments - data->segments) + (reader.at.offset != 0);/
