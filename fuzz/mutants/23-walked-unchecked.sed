# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Descriptors that were walked before a resolution count as readable until the resolution finds a writable one itself.
# file: virtio-queue/src/chain.c
# harness: fuzz_queue
s/if (desc.writable && !c->writable)/if (desc.writable \&\& !c->writable \&\& loaded->count == 0)/
