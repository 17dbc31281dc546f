# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A file may be longer than it says.
# file: virtio-queue-ser/src/envelope.c
# harness: fuzz_state
s/if (length > said)/if (length > said + 1)/
