# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The room of a receive buffer on the fast path is not capped.
# file: virtio-vsock/src/packet.c
# harness: fuzz_vsock
s/VIRTIO_UNLIKELY(room > packet->max_payload)/VIRTIO_UNLIKELY(room > UINT32_MAX)/
