# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Two saved connections may both have the lowest address.
# file: virtio-vsock/src/state.c
# harness: fuzz_state
s/for (uint32_t i = 1; i < count; i++) {/for (uint32_t i = 2; i < count; i++) {/
