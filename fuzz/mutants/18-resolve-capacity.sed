# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A resolution writes one segment past the end of the caller's array.
# file: virtio-queue/src/run.h
# harness: fuzz_queue
s/r->room = room < capacity ? room : capacity;/r->room = room < capacity + 1 ? room : capacity + 1;/
