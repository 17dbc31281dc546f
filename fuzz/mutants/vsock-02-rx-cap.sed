# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path does not limit the room of a receive buffer to max_payload.
# file: virtio-vsock/src/packet.c
# harness: fuzz_vsock
s/VIRTIO_UNLIKELY(room > packet->max_payload)/VIRTIO_UNLIKELY(room > UINT32_MAX)/
