# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A saved stream may have up to three packets of an unfinished message.
# file: virtio-vsock/src/state.c
# harness: fuzz_state
s/s->message_packets != 0 && s->type != VIRTIO_VSOCK_TYPE_SEQPACKET/s->message_packets > 3 \&\& s->type != VIRTIO_VSOCK_TYPE_SEQPACKET/
