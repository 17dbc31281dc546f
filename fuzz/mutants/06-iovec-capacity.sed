# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# An I/O vector gets one entry more than its capacity.
# file: virtio-queue/src/reader.c
# harness: fuzz_guest_memory
/^uint32_t virtio_stream_iovec(/,/^}/s/count < capacity/count <= capacity/
