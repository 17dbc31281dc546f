# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A copy of input runs past the end of the ring buffer instead of wrapping.
# file: virtio-console/src/receive.c
# harness: fuzz_console
s/const uint32_t front = n < to_end ? n : to_end;/const uint32_t front = n;/
