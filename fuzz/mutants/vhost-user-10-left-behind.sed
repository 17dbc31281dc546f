# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A ring keeps running although its areas are outside of the new memory table.
# file: examples/vhost-user/requests.c
# harness: fuzz_vhost_user
s/	if (failed < session->device->queue_count) {/	if (failed > session->device->queue_count) {/
