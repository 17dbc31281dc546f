# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Only the first half of the id is compared.
# file: virtio-queue-ser/src/envelope.c
# harness: fuzz_state
s/bytes + FILE_ID, id, VIRTIO_QUEUE_SER_ID_BYTES))/bytes + FILE_ID, id, VIRTIO_QUEUE_SER_ID_BYTES \/ 2))/
