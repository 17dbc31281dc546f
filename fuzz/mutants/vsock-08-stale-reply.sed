# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# An RST to an earlier connection follows the request of a new one.
# file: virtio-vsock/src/table.c
# harness: fuzz_vsock
s/^	drop_reply(table, header);$/	(void)header;/
