# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A queue may go on without the in-order completion that was negotiated.
# file: virtio-queue-ser/src/queue_section.c
# harness: fuzz_state
s/if (state->in_order != config->in_order)/if (state->in_order > config->in_order)/
