# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A resolution with too small an array uses up the chain. So the next resolution finds nothing.
# file: virtio-queue/src/chain.c
# harness: fuzz_queue
s/queue_of(chain->memory)->stats.too_many_segments++;/chain->walk = walking.walk, queue_of(chain->memory)->stats.too_many_segments++;/
