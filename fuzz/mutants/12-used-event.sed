# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A notification is sent for one value of used_event that requires no notification.
# file: virtio-queue/include/virtio/inline/queue.h
# harness: fuzz_queue
s/(uint16_t)(used_idx - 1 - event) >= added/(uint16_t)(used_idx - 1 - event) > added/
