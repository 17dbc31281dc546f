# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A REQUEST does not wait for the transport reset.
# file: virtio-vsock/src/table.c
# harness: fuzz_vsock
s/} else if (!table->held \&\& !list_empty/} else if (!list_empty/
