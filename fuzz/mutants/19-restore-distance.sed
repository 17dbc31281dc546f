# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A saved queue may have any number of requests in flight.
# file: virtio-queue/src/queue_state.c
# harness: fuzz_queue
s/if (in_flight > state->config\.size)/if (in_flight > UINT16_MAX - 1)/
