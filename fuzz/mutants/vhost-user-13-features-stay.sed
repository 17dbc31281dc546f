# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The features of a refused SET_FEATURES stay in effect.
# file: examples/vhost-user/requests.c
# harness: fuzz_vhost_user
s/	session->setup\.features = before\.features;/	(void)before;/
