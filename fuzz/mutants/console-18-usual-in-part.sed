# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path completes a chain although the sink took only a part of it.
# file: virtio-console/src/transmit.c
# harness: fuzz_console
s/VIRTIO_UNLIKELY(took < d.len)/VIRTIO_UNLIKELY(took == 0)/
