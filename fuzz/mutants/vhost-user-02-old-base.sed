# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A new driver begins where the old one stopped.
# file: examples/vhost-user/vring.c
# harness: fuzz_vhost_user
s/	vring->setup\.base = 0;/	vring->setup.held = true;/
