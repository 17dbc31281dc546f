# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A refused SET_FEATURES keeps its features.
# file: examples/vhost-user/requests.c
# harness: fuzz_vhost_user
s/	session->setup\.features = before\.features;/	(void)before;/
