# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# After a migration, the failed reset of a queue no longer shows.
# file: virtio-device/src/state.c
# harness: fuzz_device
s/queue->resetting = saved->resetting;/queue->resetting = false;/
