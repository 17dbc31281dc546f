# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A generic port gets input before the driver has opened it.
# file: virtio-console/src/receive.c
# harness: fuzz_console
s/return port->options.console || !console_multiport(console) || console_load(&port->guest_open) != 0;/return port->options.console || !console_multiport(console) || port->present;/
