# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The len of a packet may exceed the payload bytes in the chain.
# file: virtio-vsock/src/packet.c
# harness: fuzz_vsock
s/if (len > packet->max_payload || len > bytes) {/if (len > packet->max_payload) {/
