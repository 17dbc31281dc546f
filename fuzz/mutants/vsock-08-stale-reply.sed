# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# An RST for an earlier connection is sent after the REQUEST of a new connection.
# file: virtio-vsock/src/table.c
# harness: fuzz_vsock
s/^	drop_reply(table, header);$/	(void)header;/
