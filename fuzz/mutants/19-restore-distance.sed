# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The requests in flight of a saved queue may exceed the size of the queue.
# file: virtio-queue/src/queue_state.c
# harness: fuzz_queue
s/if ((uint16_t)(state->next_avail - state->next_used) > state->config\.size)/if ((uint16_t)(state->next_avail - state->next_used) > UINT16_MAX - 1)/
