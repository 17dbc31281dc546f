# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# One byte may follow the last value of a section.
# file: virtio-queue/src/section.c
# harness: fuzz_state
s/if (error || walk->at == walk->end)/if (error || walk->end - walk->at <= 1)/
