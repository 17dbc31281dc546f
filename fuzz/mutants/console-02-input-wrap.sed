# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Input does not wrap at the end of the ring of bytes.
# file: virtio-console/src/receive.c
# harness: fuzz_console
s/const uint32_t front = n < to_end ? n : to_end;/const uint32_t front = n;/
