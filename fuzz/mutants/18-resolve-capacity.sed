# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A full array of segments gets another entry.
# file: virtio-queue/src/run.h
# harness: fuzz_queue
s/r->room = room < capacity ? room : capacity;/r->room = room < capacity + 1 ? room : capacity + 1;/
