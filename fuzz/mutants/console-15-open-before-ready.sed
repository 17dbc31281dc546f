# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A PORT_OPEN that arrives before PORT_READY opens the port.
# file: virtio-console/src/control.c
# harness: fuzz_console
s/if (event != VIRTIO_CONSOLE_PORT_OPEN || !(port->flags & VIRTIO_CONSOLE_PORT_IS_READY))/if (event != VIRTIO_CONSOLE_PORT_OPEN)/
