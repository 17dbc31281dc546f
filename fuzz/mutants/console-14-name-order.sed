# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The message NAME is sent before CONSOLE_PORT.
# file: virtio-console/src/control.c
# harness: fuzz_console
s/.bit = port->pending & -port->pending/.bit = (port->pending \& 8) ? 8 : port->pending \& -port->pending/
