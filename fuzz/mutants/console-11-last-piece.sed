# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A chain with more pieces than the array ends with the array.
# file: virtio-console/src/transmit.c
# harness: fuzz_console
s/if (!output->beyond)/if (true)/
