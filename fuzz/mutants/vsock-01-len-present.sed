# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A payload may be longer than the bytes present.
# file: virtio-vsock/src/packet.c
# harness: fuzz_vsock
s/if (len > packet->max_payload || len > bytes) {/if (len > packet->max_payload) {/
