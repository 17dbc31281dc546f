# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path writes input without recording it in the dirty log.
# file: virtio-console/src/receive.c
# harness: fuzz_console
s/if (VIRTIO_UNLIKELY(region->dirty != NULL))/if (VIRTIO_UNLIKELY(n == 0))/
