# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The saved bool `in_order` may be any byte.
# file: virtio-queue/src/queue_state.c
# harness: fuzz_queue
s/{ &config->in_order, "in_order" },//
