# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The check against buf_alloc ignores the bytes that are already buffered.
# file: virtio-vsock/src/connection.c
# harness: fuzz_vsock
s/len > c->buf_alloc - (c->rx_cnt - c->fwd_cnt)/len > c->buf_alloc/
