# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A translated segment names its cursor's window instead of the real region.
# file: virtio-queue/src/guest_memory.c
# harness: fuzz_guest_memory
s/out->region = region->self;/out->region = region;/
