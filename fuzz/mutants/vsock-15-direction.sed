# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A packet of the guest may have writable buffers.
# file: virtio-vsock/src/packet.c
# harness: fuzz_vsock
s/if (!error \&\& all->writable != 0)/if (!error \&\& all->needed == 0)/
