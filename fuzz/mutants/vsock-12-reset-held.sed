# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# If the REQUEST of a connection is held back, its RST is held back, too.
# file: virtio-vsock/src/connection.c
# harness: fuzz_vsock
/c->state = VIRTIO_VSOCK_RESET;/,/virtio_impl_vsock_queue/s/virtio_impl_vsock_queue(c);/(void)c;/
