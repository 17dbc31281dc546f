# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The part of a header that shares a segment with payload is not written.
# file: virtio-vsock/src/packet.c
# harness: fuzz_vsock
s/if (packet->header_rest.len != 0)/if (packet->header_rest.len > HEADER)/
