# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A later SHUTDOWN clears flags of an earlier SHUTDOWN.
# file: virtio-vsock/src/connection.c
# harness: fuzz_vsock
s/c->shut_by_peer |= (uint8_t)flags;/c->shut_by_peer = (uint8_t)flags;/
