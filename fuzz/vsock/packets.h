/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Socket packets in queues. This part of the harness has no connections. */
#ifndef VIRTIO_FUZZ_VSOCK_PACKETS_H
#define VIRTIO_FUZZ_VSOCK_PACKETS_H

#include "model.h"

/* Sends packets in both directions through one queue, and makes packets from host buffers. */
void vsock_packets(struct fuzz_input *in);

#endif
