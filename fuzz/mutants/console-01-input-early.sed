# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Input leaves the buffer though its chain has got nothing.
# file: virtio-console/src/receive.c
# harness: fuzz_console
s/console_store(&input->taken, input_advance(input, input->taken, (uint32_t)got));/console_store(\&input->taken, input_advance(input, input->taken, got ? (uint32_t)got : 1));/
