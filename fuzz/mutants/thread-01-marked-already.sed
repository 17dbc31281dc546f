# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A page whose bit is set is not marked again. The VMM may clear the bit and miss the new bytes.
# file: virtio-queue/src/memory_internal.h
# harness: dirty-log
s/^\t\tvirtio_memory_set_bits(log, page \/ 8, 1ul << (page & 7));/\t\t__atomic_load_n((uint8_t *)log->bitmap + page \/ 8, __ATOMIC_RELAXED) >> (page \& 7) \& 1 ? (void)0 : virtio_memory_set_bits(log, page \/ 8, 1ul << (page \& 7));/
