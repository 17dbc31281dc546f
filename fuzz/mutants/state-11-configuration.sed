# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A queue that was saved without in-order completion may be restored with it.
# file: virtio-queue-ser/src/queue_section.c
# harness: fuzz_state
s/if (state->in_order != config->in_order)/if (state->in_order > config->in_order)/
