# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# PORT_READY for a removed port applies to the next port with the same number.
# file: virtio-console/src/control.c
# harness: fuzz_console
s/if (!port || (port->pending & VIRTIO_CONSOLE_SEND_REMOVE))/if (!port)/
