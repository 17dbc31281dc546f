# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Ports of the current version are converted like ports of version 1.
# file: virtio-console/src/state_section.c
# harness: fuzz_state
s/if (where\.version == 1)/if (where.version >= 1)/
