# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A new kick descriptor leaves the old kick descriptor open.
# file: examples/vhost-user/vring.c
# harness: fuzz_vhost_user
/^int vring_set_kick(/,/^}/s/	drop_kick(vring);/	(void)drop_kick;/
