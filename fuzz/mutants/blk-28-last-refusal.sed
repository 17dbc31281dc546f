# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The statistics keep the last refusal, not the first refusal.
# file: virtio-blk/src/execute.c
# harness: fuzz_blk
s/if (stats->first_refusal == VIRTIO_BLK_REFUSAL_NONE)/if (result->refusal != VIRTIO_BLK_REFUSAL_NONE)/
