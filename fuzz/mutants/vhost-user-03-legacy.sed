# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A ring starts although VERSION_1 is not negotiated.
# file: examples/vhost-user/session.c
# harness: fuzz_vhost_user
s/	if (!(session->setup\.features & feature_mask(VIRTIO_F_VERSION_1))) {/	if (session->setup.features == 0) {/;s/	if (!(session->setup\.features & virtio_feature_mask(VIRTIO_F_VERSION_1))) {/	if (session->setup.features == 0) {/
