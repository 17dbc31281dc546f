# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A port may be missing.
# file: virtio-console/src/state_section.c
# harness: fuzz_state
s/console->options\.ports\[id\]\.present && !listed/id == 0 \&\& !listed/
