# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The status goes to the first writable segment instead of the last writable byte.
# file: virtio-queue/src/request.c
# harness: fuzz_blk
s/^	request->data = all;$/	request->data = all; if (!error \&\& all.writable) request->data.last_writable = all.segments[all.readable];/
