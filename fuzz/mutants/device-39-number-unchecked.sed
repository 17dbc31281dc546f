# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A report of an earlier stop ends a later stop.
# file: virtio-device/src/queue_registers.c
# harness: fuzz_device
s/stops = registers->stopping \&\& registers->stop_number == number;/stops = registers->stopping;/
