# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The caller's event() gets the wrong value.
# file: virtio-console/src/control.c
# harness: fuzz_console
s/event(options->context, id, event, value != 0)/event(options->context, id, event, value == 0)/
