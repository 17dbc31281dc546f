# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path completes a chain of which the sink has taken only a part.
# file: virtio-console/src/transmit.c
# harness: fuzz_console
s/VIRTIO_UNLIKELY(took < d.len)/VIRTIO_UNLIKELY(took == 0)/
