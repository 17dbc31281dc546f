# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A range past the end hides that a later range is too long.
# file: virtio-blk/src/parse.c
# harness: fuzz_blk
s/refusal = VIRTIO_BLK_REFUSAL_PAST_END;/return VIRTIO_BLK_REFUSAL_PAST_END;/
