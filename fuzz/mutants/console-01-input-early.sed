# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Input leaves the buffer although the chain has not received any.
# file: virtio-console/src/receive.c
# harness: fuzz_console
s/console_store(&input->taken, input_advance(input, input->taken, n));/console_store(\&input->taken, input_advance(input, input->taken, n ? n : 1));/
