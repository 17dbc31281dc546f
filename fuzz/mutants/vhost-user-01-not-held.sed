# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A ring that stopped for a new driver starts again before the set-up ends.
# file: examples/vhost-user/vring.c
# harness: fuzz_vhost_user
s/	vring->setup\.held = true;/	vring->setup.held = false;/
