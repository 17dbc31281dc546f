# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Packets that the peer has not forwarded are not charged their overhead.
# file: virtio-vsock/src/connection.c
# harness: fuzz_vsock
s/const uint64_t charged = ((uint64_t)c->tx_packets + 1) \* c->table->options.packet_overhead;/const uint64_t charged = c->table->options.packet_overhead;/
