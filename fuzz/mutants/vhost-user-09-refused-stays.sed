# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A refused request keeps the settings that it made.
# file: examples/vhost-user/requests.c
# harness: fuzz_vhost_user
s/	vring->setup = \*before;/	(void)before;/
