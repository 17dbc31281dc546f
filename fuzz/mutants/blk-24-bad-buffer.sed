# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A request with a bad buffer gets no status.
# file: virtio-queue/src/chain.c
# harness: fuzz_blk
/^	out->last_writable = status;$/d
