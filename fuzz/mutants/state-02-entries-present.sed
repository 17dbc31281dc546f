# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The last entry of a list may be missing.
# file: virtio-queue/src/section.c
# harness: fuzz_state
s/(uint64_t)\*count \* each > walk->end - walk->at/(uint64_t)*count * each > walk->end - walk->at + each/
