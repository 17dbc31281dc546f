# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A resolution without room uses up the chain, so the next resolution finds nothing.
# file: virtio-queue/src/chain.c
# harness: fuzz_queue
s/queue_of(chain->memory)->stats.too_many_segments++;/chain->walk = walking.walk, queue_of(chain->memory)->stats.too_many_segments++;/
