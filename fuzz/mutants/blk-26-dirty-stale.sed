# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The data of a stale completion is recorded in the dirty log before the token is checked.
# file: virtio-blk/src/execute.c
# harness: fuzz_blk
s/if (!virtio_queue_is_in_flight(queue, request->base\.token))/if (request->base.token.value == 0)/
