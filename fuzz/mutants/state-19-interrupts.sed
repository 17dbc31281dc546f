# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The saved interrupt status may have unknown bits.
# file: virtio-device/src/state.c
# harness: fuzz_state
s/if ((state->interrupt_status & ~(uint32_t)(VIRTIO_INTERRUPT_USED | VIRTIO_INTERRUPT_CONFIG)) ||/if (/
