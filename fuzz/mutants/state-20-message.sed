# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A restored connection forgets the sent bytes of an unfinished message.
# file: virtio-vsock/src/state.c
# harness: fuzz_state
s/^	c->message_bytes = s->message_bytes;$//
