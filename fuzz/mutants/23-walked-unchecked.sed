# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A writable descriptor may be treated as readable if a later descriptor has been read already.
# file: virtio-queue/src/chain.c
# harness: fuzz_queue
s/if (desc.writable && !c->writable)/if (desc.writable \&\& !c->writable \&\& loaded->count == 0)/
