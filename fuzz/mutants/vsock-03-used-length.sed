# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The used length does not count the header.
# file: virtio-vsock/src/packet.c
# harness: fuzz_vsock
s/virtio_token_head(token), HEADER + len);/virtio_token_head(token), len);/
