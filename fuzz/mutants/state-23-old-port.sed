# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A wrong port of the present version is taken as one of the version before.
# file: virtio-console/src/state_section.c
# harness: fuzz_state
s/if (where\.version == 1)/if (where.version >= 1)/
