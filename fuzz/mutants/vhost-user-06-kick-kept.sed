# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A ring keeps its new kick descriptor although its start failed.
# file: examples/vhost-user/requests.c
# harness: fuzz_vhost_user
s/	if (outcome != REQUEST_DONE && !error)/	if (error == 77)/
