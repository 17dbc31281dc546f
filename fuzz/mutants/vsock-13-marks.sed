# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Each packet of a message has the mark for the message's end.
# file: virtio-vsock/src/connection.c
# harness: fuzz_vsock
s/out->marks = bytes == left ? marks : 0;/out->marks = marks;/
