# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A connection that is closing has no deadline.
# file: virtio-vsock/src/connection.c
# harness: fuzz_vsock
s/virtio_impl_vsock_set_timer(c, TIMER_CLOSE, now);/virtio_impl_vsock_set_timer(c, TIMER_NONE, now);/
