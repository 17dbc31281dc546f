# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path accepts receive buffers in memory with a dirty log.
# file: virtio-vsock/src/packet.c
# harness: fuzz_vsock
s/if (write != 0 && (VIRTIO_UNLIKELY(header_region/if (write == 1 \&\& (VIRTIO_UNLIKELY(header_region/
