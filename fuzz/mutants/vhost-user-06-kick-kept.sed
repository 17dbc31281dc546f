# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The kick descriptor of a start that failed is kept.
# file: examples/vhost-user/requests.c
# harness: fuzz_vhost_user
s/	if (outcome != REQUEST_DONE && !error)/	if (error == 77)/
