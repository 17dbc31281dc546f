# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The region of a translated segment is the window of its cursor.
# file: virtio-queue/src/guest_memory.c
# harness: fuzz_guest_memory
s/out->region = region->self;/out->region = region;/
