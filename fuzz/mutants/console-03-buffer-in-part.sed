# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path checks only the bytes that it writes, not the whole buffer.
# file: virtio-console/src/receive.c
# harness: fuzz_console
s/!virtio_impl_memory_find_writable(memory, d.addr, d.len, \&host)/!virtio_impl_memory_find_writable(memory, d.addr, d.len < held ? d.len : held, \&host)/
