# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A queue that could not be reset shows no reset after a migration.
# file: virtio-device/src/state.c
# harness: fuzz_device
s/queue->resetting = saved->resetting;/queue->resetting = false;/
