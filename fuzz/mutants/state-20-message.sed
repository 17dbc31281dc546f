# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A connection forgets the message that it was sending.
# file: virtio-vsock/src/state.c
# harness: fuzz_state
s/^	c->message_bytes = s->message_bytes;$//
