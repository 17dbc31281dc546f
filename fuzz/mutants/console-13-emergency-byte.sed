# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The byte of an emergency write is the first one of the access.
# file: virtio-console/src/config.c
# harness: fuzz_console
s/((const uint8_t \*)data)\[field - offset\]/((const uint8_t *)data)[0]/
