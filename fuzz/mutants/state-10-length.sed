# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A file may be one byte longer than its length field says.
# file: virtio-queue-ser/src/envelope.c
# harness: fuzz_state
s/if (length > said)/if (length > said + 1)/
