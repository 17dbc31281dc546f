# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# An indirect table may contain an indirect descriptor.
# file: virtio-queue/include/virtio/inline/chain.h
# harness: fuzz_queue
/ virtio_impl_walk_enter_table(struct/,/^}/s/if (!(walk->left & VIRTIO_IMPL_WALK_DIRECT))/if (false)/
