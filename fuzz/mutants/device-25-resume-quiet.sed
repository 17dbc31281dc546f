# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# After a migration, a pending used-buffer interrupt is not raised if no queue runs.
# file: virtio-device/src/state.c
# harness: fuzz_device
s/else if (pending && !raised)/else if (pending \&\& raised \&\& !device->active)/
