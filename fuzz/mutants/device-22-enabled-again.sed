# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A queue that was reset before DRIVER_OK may be set up after DRIVER_OK.
# file: virtio-device/src/queue_registers.c
# harness: fuzz_device
/^static void finish_stop(/,/^}/s/queue->may_reenable = device->active;/queue->may_reenable = true;/
