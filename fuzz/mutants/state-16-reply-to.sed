# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A saved reply may be addressed to another guest.
# file: virtio-vsock/src/state_section.c
# harness: fuzz_state
s/saved->replies\[i\]\.dst_cid != guest ? "dst_cid" : NULL/NULL/
