# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A refused write to the configuration space ends the session.
# file: examples/vhost-user/requests.c
# harness: fuzz_vhost_user
s/CONFIG, \.harmless = true)/CONFIG)/
