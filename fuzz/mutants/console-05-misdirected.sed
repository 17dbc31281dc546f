# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A transmit chain with writable buffers is read instead of refused.
# file: virtio-console/src/transmit.c
# harness: fuzz_console
s/if (data.misdirected) {/if (false) {/
