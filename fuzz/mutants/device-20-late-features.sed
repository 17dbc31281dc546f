# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The driver may change its features after FEATURES_OK.
# file: virtio-device/src/queue_registers.c
# harness: fuzz_device
s/(live & (VIRTIO_CONFIG_S_FEATURES_OK | STATUS_STUCK | LIVE_RESETTING))/(live \& (STATUS_STUCK | LIVE_RESETTING))/
