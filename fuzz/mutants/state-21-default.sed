# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A value that an older section lacks gets a wrong default.
# file: virtio-vsock/src/state_section.c
# harness: fuzz_state
s/message_packets, 2, 0)/message_packets, 2, 1)/
