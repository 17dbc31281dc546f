# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Writable descriptors that were read ahead of a resolution are treated as readable.
# file: virtio-queue/src/chain.c
# harness: fuzz_queue
s/if (desc.writable && !c->writable)/if (desc.writable \&\& !c->writable \&\& loaded->count == 0)/
