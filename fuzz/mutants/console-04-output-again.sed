# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# After a restore, a chain that the sink took in part is sent again from its start.
# file: virtio-console/src/transmit.c
# harness: fuzz_console
s/port->output.skip = taken;/port->output.skip = 0;/
