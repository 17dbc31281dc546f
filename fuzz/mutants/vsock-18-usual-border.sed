# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path accepts a buffer that begins in a region and ends outside.
# file: virtio-vsock/src/packet.c
# harness: fuzz_vsock
s/if (!at || !virtio_impl_memory_in_region(at, addr, len))/if (!at || !virtio_impl_memory_in_region(at, addr, HEADER))/
