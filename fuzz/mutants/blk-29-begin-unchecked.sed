# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A transfer begins although its request is refused.
# file: virtio-blk/src/execute.c
# harness: fuzz_blk
s/	if (refusal == VIRTIO_BLK_REFUSAL_NONE)$/	if (refusal != VIRTIO_BLK_REFUSAL_BAD_CHAIN)/
