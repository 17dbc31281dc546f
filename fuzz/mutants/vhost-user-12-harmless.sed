# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A write to the configuration space that is refused ends the session.
# file: examples/vhost-user/requests.c
# harness: fuzz_vhost_user
s/CONFIG, \.harmless = true)/CONFIG)/
