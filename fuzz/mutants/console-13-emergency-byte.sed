# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# An emergency write uses the first byte of the access instead of the byte at emerg_wr.
# file: virtio-console/src/config.c
# harness: fuzz_console
s/((const uint8_t \*)data)\[field - offset\]/((const uint8_t *)data)[0]/
