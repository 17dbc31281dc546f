# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The RST of a connection whose REQUEST is held is held, too.
# file: virtio-vsock/src/connection.c
# harness: fuzz_vsock
/c->state = VIRTIO_VSOCK_RESET;/,/virtio_impl_vsock_queue/s/virtio_impl_vsock_queue(c);/(void)c;/
