# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A restored reply has no type.
# file: virtio-vsock/src/state_section.c
# harness: fuzz_state
s/^		virtio_vsock_set_type(reply, replies\[i\]\.type);$//
