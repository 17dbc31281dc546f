/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The echo of virtio-vsock's README: a guest connects, sends, and gets everything back. */
#include "readme_echo.h"

#include "cmocka_includes.h"

#include <string.h>
#include <virtio/queue_mock.h>

#define SIZE 8u
#define RAM 0x8000u
#define TX_DATA 0x4000u
#define RX_DATA 0x6000u

/* A guest with two queues. */
struct fixture {
	struct virtio_region region;
	struct virtio_memory_map map;
	struct virtio_mock tx_driver, rx_driver;
	struct virtio_mock_slot tx_slots[SIZE], rx_slots[SIZE];
	struct virtio_inflight tx_inflight[SIZE], rx_inflight[SIZE];
	struct virtio_queue tx, rx;
	struct virtio_vsock vsock;
	struct virtio_vsock_table table;
	struct virtio_vsock_connection connections[4], *buckets[4];
	struct virtio_vsock_hdr replies[4];
	struct virtio_segment segments[SIZE];
	struct echo echo;
	uint32_t fwd_cnt;
	_Alignas(4096) uint8_t ram[RAM];
};

static void set_up(struct fixture *w)
{
	static const struct virtio_vsock_options options = { .buf_alloc = 4096,
							     .max_packets = 1000,
							     .max_payload = 4096,
							     .connect_timeout = 1,
							     .close_timeout = 1,
							     .credit_retry = 1 };
	const struct virtio_vsock_table_storage storage = { w->connections, 4, w->buckets, 4, w->replies, 4 };
	const uint64_t seed[2] = { 1, 2 };

	memset(w, 0, sizeof *w);
	w->region = (struct virtio_region){ .addr = 0, .len = RAM, .host = w->ram };
	assert_int_equal(virtio_memory_map_init(&w->map, &w->region, 1), 0);
	assert_int_equal(virtio_mock_init(&w->tx_driver, &w->map, 0, SIZE, w->tx_slots, SIZE), 0);
	assert_int_equal(virtio_mock_init(&w->rx_driver, &w->map, 0x1000, SIZE, w->rx_slots, SIZE), 0);
	assert_int_equal(virtio_mock_create_queue(&w->tx_driver, &w->tx, w->tx_inflight, SIZE, &w->map), 0);
	assert_int_equal(virtio_mock_create_queue(&w->rx_driver, &w->rx, w->rx_inflight, SIZE, &w->map), 0);
	assert_int_equal(virtio_vsock_init(&w->vsock, 3, false), 0);
	assert_int_equal(virtio_vsock_table_init(&w->table, &w->vsock, &options, &storage, seed), 0);
	w->echo.table = &w->table;
	assert_int_equal(virtio_vsock_packet_init(&w->echo.packet, w->segments, SIZE, 4096), 0);
}

/* The guest sends a packet, and the device serves it. */
static void send(struct fixture *w, uint32_t to, uint16_t op, const char *text)
{
	bool interrupt = false;
	const struct virtio_mock_buffer buffer = { TX_DATA, 44 + (uint32_t)strlen(text), 0 };
	struct vring_used_elem used;
	struct virtio_vsock_hdr h;

	memset(&h, 0, sizeof h);
	virtio_vsock_set_src_cid(&h, 3);
	virtio_vsock_set_dst_cid(&h, VIRTIO_VSOCK_CID_HOST);
	virtio_vsock_set_src_port(&h, 1234);
	virtio_vsock_set_dst_port(&h, to);
	virtio_vsock_set_len(&h, (uint32_t)strlen(text));
	virtio_vsock_set_type(&h, VIRTIO_VSOCK_TYPE_STREAM);
	virtio_vsock_set_op(&h, op);
	virtio_vsock_set_buf_alloc(&h, 64);
	virtio_vsock_set_fwd_cnt(&h, w->fwd_cnt);
	memcpy(w->ram + TX_DATA, &h, sizeof h);
	memcpy(w->ram + TX_DATA + 44, text, strlen(text));
	assert_true(virtio_mock_add(&w->tx_driver, &buffer, 1) >= 0);
	assert_int_equal(serve_tx(&w->echo, &w->tx, 1, &interrupt), 0);
	assert_true(interrupt);
	assert_int_equal(virtio_mock_pop_used(&w->tx_driver, &used), 1);
}

/*
 * Offers a buffer of the guest. Returns the op of the packet that arrives, or 0 if no packet
 * arrives.
 */
static uint16_t receive(struct fixture *w, struct virtio_vsock_connection *c, char *text)
{
	const struct virtio_mock_buffer buffer = { RX_DATA, 100, VRING_DESC_F_WRITE };
	struct vring_used_elem used;
	struct virtio_vsock_hdr h;

	if (w->rx_driver.in_flight == 0)
		assert_true(virtio_mock_add(&w->rx_driver, &buffer, 1) >= 0);
	if (serve_rx(&w->echo, &w->rx, c, 1) != 1)
		return 0;
	assert_int_equal(virtio_mock_pop_used(&w->rx_driver, &used), 1);
	memcpy(&h, w->ram + RX_DATA, sizeof h);
	assert_int_equal(used.len, 44 + virtio_vsock_len(&h));
	memcpy(text, w->ram + RX_DATA + 44, virtio_vsock_len(&h));
	text[virtio_vsock_len(&h)] = 0;
	return virtio_vsock_op(&h);
}

static void echo_returns_what_the_guest_sends(void **state)
{
	static const struct virtio_vsock_address address = { VIRTIO_VSOCK_CID_HOST, 7, 3, 1234 };
	static struct fixture w;
	struct virtio_vsock_connection *c;
	char text[100];

	(void)state;
	set_up(&w);
	send(&w, 7, VIRTIO_VSOCK_OP_REQUEST, "");
	c = virtio_vsock_table_find(&w.table, &address);
	assert_non_null(c);
	assert_int_equal(receive(&w, c, text), VIRTIO_VSOCK_OP_RESPONSE);
	assert_int_equal(receive(&w, c, text), 0);
	for (int i = 0; i < 1000; i++) {
		send(&w, 7, VIRTIO_VSOCK_OP_RW, "Hello, ");
		send(&w, 7, VIRTIO_VSOCK_OP_RW, "world");
		assert_int_equal(receive(&w, c, text), VIRTIO_VSOCK_OP_RW);
		assert_string_equal(text, "Hello, world");
		w.fwd_cnt += 12;
		send(&w, 7, VIRTIO_VSOCK_OP_CREDIT_UPDATE, "");
		while (receive(&w, c, text) == VIRTIO_VSOCK_OP_CREDIT_UPDATE) {
		}
	}
	assert_int_equal(virtio_vsock_connection_buffered(c), 0);
}

static void echo_refuses_other_ports(void **state)
{
	static struct fixture w;
	char text[100];

	(void)state;
	set_up(&w);
	send(&w, 8, VIRTIO_VSOCK_OP_REQUEST, "");
	assert_int_equal(receive(&w, NULL, text), VIRTIO_VSOCK_OP_RST);
	assert_int_equal(receive(&w, NULL, text), 0);
	assert_int_equal(w.table.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echo_returns_what_the_guest_sends),
		cmocka_unit_test(echo_refuses_other_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
