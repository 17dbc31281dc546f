# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# An I/O vector gets one entry too many.
# file: virtio-queue/src/guest_memory.c
# harness: fuzz_guest_memory
/^uint32_t virtio_segments_iovec(/,/^}/s/n < capacity/n <= capacity/
