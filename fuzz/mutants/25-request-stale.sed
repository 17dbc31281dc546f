# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A completion writes the status of a request that is no longer in flight.
# file: virtio-queue/src/request.c
# harness: fuzz_queue
s/if (!virtio_queue_is_in_flight(queue, request->token))/if (virtio_token_head(request->token) >= queue->size)/
