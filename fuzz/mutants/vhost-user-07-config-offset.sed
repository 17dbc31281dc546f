# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# An offset into the configuration space is used without subtracting 0x100.
# file: examples/vhost-user/requests.c
# harness: fuzz_vhost_user
s/config->offset - VHOST_USER_CONFIG_BASE : config->offset;/config->offset : config->offset;/
