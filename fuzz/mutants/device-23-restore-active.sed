# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A saved device may be active without DRIVER_OK.
# file: virtio-device/src/state.c
# harness: fuzz_device
s/if (state->active ? !driver_ok : driver_ok && !needs_reset)/if (!state->active \&\& driver_ok \&\& !needs_reset)/
