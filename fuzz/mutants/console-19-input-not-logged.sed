# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path does not record the input that it writes in the dirty log.
# file: virtio-console/src/receive.c
# harness: fuzz_console
s/if (VIRTIO_UNLIKELY(region->dirty != NULL))/if (VIRTIO_UNLIKELY(n == 0))/
