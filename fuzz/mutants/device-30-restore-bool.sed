# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The saved bool `may_reenable` of a queue may be any byte.
# file: virtio-device/src/state.c
# harness: fuzz_device
s/{ &queues\[i\]\.may_reenable, "may_reenable" },//
