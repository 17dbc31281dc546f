# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# ADD is sent for a port that the driver already knows.
# file: virtio-console/src/ports.c
# harness: fuzz_console
s/if (port->present \&\& !(port->flags \& VIRTIO_CONSOLE_PORT_KNOWN))/if (port->present)/
