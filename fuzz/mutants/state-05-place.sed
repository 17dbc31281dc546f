# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A refusal reports a wrong offset.
# file: virtio-queue/src/section.c
# harness: fuzz_state
s/at += present ? fields\[i\]\.bytes : 0;/at += present ? 4u : 0;/
