# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A saved bool may be any byte.
# file: virtio-device/src/state.c
# harness: fuzz_device
s/valid = valid && is_bool(&queues\[i\]\.ready) && is_bool(&queues\[i\]\.may_reenable);/valid = valid \&\& is_bool(\&queues[i].ready);/
