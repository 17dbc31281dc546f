# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The slow path refuses a chain of exactly 2^32 bytes.
# file: virtio-queue/src/chain.c
# harness: fuzz_queue
s/if (len > walk->bytes_left)/if (len >= walk->bytes_left)/
