# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A section may leave out every port except port 0.
# file: virtio-console/src/state_section.c
# harness: fuzz_state
s/console->options\.ports\[id\]\.present && !listed/id == 0 \&\& !listed/
