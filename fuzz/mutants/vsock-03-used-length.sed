# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path does not count the header in the used length.
# file: virtio-vsock/src/packet.c
# harness: fuzz_vsock
s/virtio_token_head(token), HEADER + len);/virtio_token_head(token), len);/
