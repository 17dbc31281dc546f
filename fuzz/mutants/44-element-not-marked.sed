# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A completion in a ring of two pages marks the page of the index alone.
# file: virtio-queue/src/queue_flow.c
# harness: fuzz_queue
/virtio_dirty_log_mark(log, used + offset, VIRTIO_IMPL_USED_BYTES);/d
