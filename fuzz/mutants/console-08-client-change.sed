# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A close that is still pending is dropped when the next client connects.
# file: virtio-console/src/ports.c
# harness: fuzz_console
s/port->flags |= VIRTIO_CONSOLE_PORT_CONNECTED;/port->flags |= VIRTIO_CONSOLE_PORT_CONNECTED, port->pending \&= ~VIRTIO_CONSOLE_SEND_CLOSE;/
