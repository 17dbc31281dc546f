# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A full array of segments gets another entry.
# file: virtio-queue/src/chain.c
# harness: fuzz_queue
s/room = room < out->capacity ? room : out->capacity;/room = room < out->capacity + 1 ? room : out->capacity + 1;/
