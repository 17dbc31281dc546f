# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path accepts a payload buffer of the wrong direction.
# file: virtio-vsock/src/packet.c
# harness: fuzz_vsock
s/if (VIRTIO_UNLIKELY((d.flags_next & VIRTIO_DESC_FLAGS) != write) ||/if (VIRTIO_UNLIKELY((d.flags_next \& VRING_DESC_F_NEXT) != 0) ||/
