# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The ring of a new driver begins at the index where the old driver stopped.
# file: examples/vhost-user/vring.c
# harness: fuzz_vhost_user
s/	vring->setup\.base = 0;/	vring->setup.held = true;/
