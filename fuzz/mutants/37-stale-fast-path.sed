# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Completions stay on the slow path after the last request of an earlier map is completed. All
# results are still right.
# file: virtio-queue/src/queue_flow.c
# harness: fuzz_queue
/queue->old_map_in_flight--;/{n;/virtio_impl_queue_update_paths/d;}
