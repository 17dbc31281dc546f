/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The refuser of virtio-vsock's README, with a good packet, an RST and bytes that are no packet. */
#include "readme_refuser.h"

#include "cmocka_includes.h"

#include <string.h>

static void refuser_answers_by_rst(void **state)
{
	struct virtio_segment segments[2];
	struct virtio_vsock_packet packet;
	struct virtio_vsock_hdr header;
	uint8_t bytes[50] = { 0 }, answer[44];

	(void)state;
	assert_int_equal(virtio_vsock_packet_init(&packet, segments, 2, 16), 0);
	memset(&header, 0, sizeof header);
	virtio_vsock_set_src_cid(&header, 3);
	virtio_vsock_set_src_port(&header, 70);
	virtio_vsock_set_dst_cid(&header, 2);
	virtio_vsock_set_dst_port(&header, 80);
	virtio_vsock_set_op(&header, VIRTIO_VSOCK_OP_RW);
	virtio_vsock_set_len(&header, 6);
	memcpy(bytes, &header, sizeof header);
	assert_int_equal(refuse(&packet, bytes, sizeof bytes, answer), 1);
	virtio_vsock_header_from_raw(&header, answer);
	assert_int_equal(virtio_vsock_op(&header), VIRTIO_VSOCK_OP_RST);
	assert_int_equal(virtio_vsock_dst_cid(&header), 3);
	assert_int_equal(virtio_vsock_dst_port(&header), 70);
	assert_int_equal(virtio_vsock_src_cid(&header), 2);
	assert_int_equal(virtio_vsock_src_port(&header), 80);
	/* Sends the refuser its own RST as input. An RST gets no answer. */
	memcpy(bytes, answer, sizeof answer);
	memset(answer, 0xa5, sizeof answer);
	assert_int_equal(refuse(&packet, bytes, 44, answer), 0);
	assert_int_equal(answer[0], 0xa5);
}

static void refuser_refuses_what_is_no_packet(void **state)
{
	struct virtio_segment segments[2];
	struct virtio_vsock_packet packet;
	uint8_t bytes[44] = { 0 }, answer[44] = { 0xa5 };

	(void)state;
	assert_int_equal(virtio_vsock_packet_init(&packet, segments, 2, 16), 0);
	assert_int_equal(refuse(&packet, bytes, 43, answer), VIRTIO_ESHORT);
	/* The packet's length covers more bytes than are present. */
	bytes[24] = 1;
	assert_int_equal(refuse(&packet, bytes, 44, answer), VIRTIO_ESHORT);
	assert_int_equal(answer[0], 0xa5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuser_answers_by_rst),
		cmocka_unit_test(refuser_refuses_what_is_no_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
