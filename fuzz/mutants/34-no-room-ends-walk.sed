# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A resolution without room ends the walk, and the next one finds an empty chain.
# file: virtio-queue/src/chain.c
# harness: fuzz_queue
s/queue_of(chain->memory)->stats.too_many_segments++;/chain->walk = walking.walk, queue_of(chain->memory)->stats.too_many_segments++;/
