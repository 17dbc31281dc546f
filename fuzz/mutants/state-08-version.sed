# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A section may have version 0.
# file: virtio-queue/src/section.c
# harness: fuzz_state
s/section->version >= 1 && section->version <= layout->version/section->version <= layout->version/
