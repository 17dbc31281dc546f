# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The ranges are read from guest memory again after their check.
# file: virtio-blk/src/execute.c
# harness: fuzz_blk
s/\&request->ranges\[steps->range++\]/(const struct virtio_blk_range *)request->base.data.segments->host + steps->range++/
