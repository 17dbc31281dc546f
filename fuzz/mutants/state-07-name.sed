# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A name may contain bytes that are not printable ASCII.
# file: virtio-queue/src/section.c
# harness: fuzz_state
s/from\[length\] > ' ' && from\[length\] < 0x7f/from[length] > ' '/
