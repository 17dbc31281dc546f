# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A transmit chain with writable pieces is read.
# file: virtio-console/src/transmit.c
# harness: fuzz_console
s/if (data.misdirected) {/if (false) {/
