# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The settings of a refused request stay in effect.
# file: examples/vhost-user/requests.c
# harness: fuzz_vhost_user
s/	vring->setup = \*before;/	(void)before;/
