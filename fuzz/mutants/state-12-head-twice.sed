# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A head may be in flight twice.
# file: virtio-queue/src/queue_state.c
# harness: fuzz_state
s/head >= state->config\.size || (seen\[head \/ 8\] >> head % 8 & 1)/head >= state->config.size/
