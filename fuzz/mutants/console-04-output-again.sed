# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A chain that the sink has taken in part begins anew after a restore.
# file: virtio-console/src/transmit.c
# harness: fuzz_console
s/port->output.skip = taken;/port->output.skip = 0;/
