# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The rest of a removed port's chain goes to the next port with the same number.
# file: virtio-console/src/ports.c
# harness: fuzz_console
s/virtio_reader_init(&output->reader, &nothing);/(void)nothing;/
