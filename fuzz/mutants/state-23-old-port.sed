# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A port from an older section is taken as it is.
# file: virtio-console/src/state_section.c
# harness: fuzz_state
s/if (where\.version == 1)/if (where.version == 0)/
