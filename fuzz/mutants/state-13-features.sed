# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A disk's section may lack features that the section of its core has.
# file: virtio-blk/src/state_section.c
# harness: fuzz_state
s/features && read\.features != (\*features & VIRTIO_DEVICE_TYPE_FEATURES)/features \&\& read.features \& ~*features/
