# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A fwd_cnt beyond the bytes that were sent is accepted as credit.
# file: virtio-vsock/src/connection.c
# harness: fuzz_vsock
s/c->credit_bad = fwd_cnt - c->peer_fwd_cnt > c->tx_cnt - c->peer_fwd_cnt;/c->credit_bad = false;/
