# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The content of a section may reach into the checksum of the file.
# file: virtio-queue/src/section.c
# harness: fuzz_state
s/section->bytes > fault->expected/section->bytes > fault->expected + 4/
