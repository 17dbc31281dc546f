# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A byte of input leaves the buffer although the chain received nothing.
# file: virtio-console/src/receive.c
# harness: fuzz_console
s/console_store(&input->taken, input_advance(input, input->taken, n));/console_store(\&input->taken, input_advance(input, input->taken, n ? n : 1));/
