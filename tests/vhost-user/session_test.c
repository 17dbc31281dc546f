/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Ordinary sessions of front ends and guests, and rings that guests break. */
#include "daemon.h"
#include "front_end.h"

#include "cmocka_includes.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>

#define RING_FEATURES (FEATURE(VIRTIO_RING_F_EVENT_IDX) | FEATURE(VIRTIO_RING_F_INDIRECT_DESC))

static uint32_t get_base(struct front_end *fe)
{
	struct vhost_user_vring_state state = { .index = 0, .num = 77 };

	front_end_send(fe, VHOST_USER_GET_VRING_BASE, VHOST_USER_FLAG_VERSION, &state, sizeof state, NULL, 0);
	assert_int_equal(front_end_reply(fe, VHOST_USER_GET_VRING_BASE, &state, sizeof state), sizeof state);
	return state.num;
}

static void session_serves_requests_and_counts_them(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;
	char summary[256];

	(void)state;
	daemon_start(&daemon, ",serial=the serial number");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, RING_FEATURES);
	block_write_and_read(&fe, 5, 0xa5);
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_GET_ID, 0, VIRTIO_BLK_ID_BYTES), VIRTIO_BLK_S_OK);
	assert_memory_equal(block_data(&fe), "the serial number\0\0\0", VIRTIO_BLK_ID_BYTES);
	assert_int_equal(block_io(&fe, 99, 0, 512), VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, IMAGE_BYTES / 512, 512), VIRTIO_BLK_S_IOERR);
	front_end_close(&fe);
	daemon_finish(&daemon);
	snprintf(summary, sizeof summary,
		 "blk %s: 6 requests (in 2, out 1, flush 1, get-id 1, discard 0, write-zeroes 0, other 1, failed 2), "
		 "512 bytes read, 512 bytes "
		 "written, 0 faults",
		 daemon.image);
	assert_string_equal(daemon.summary, summary);
}

static void session_writes_reach_the_image(void **state)
{
	uint8_t expected[512], found[512];
	struct daemon_process daemon;
	FILE *image;

	(void)state;
	daemon_start(&daemon, "");
	front_end_good_session(daemon.socket, 7);
	memset(expected, 7, sizeof expected);
	image = fopen(daemon.image, "r");
	assert_non_null(image);
	assert_int_equal(fseek(image, 7 * 512, SEEK_SET), 0);
	assert_int_equal(fread(found, sizeof found, 1, image), 1);
	fclose(image);
	assert_memory_equal(found, expected, sizeof found);
	daemon_finish(&daemon);
}

static void session_serves_a_whole_ring_with_and_without_event_idx(void **state)
{
	const uint64_t features[] = { 0, FEATURE(VIRTIO_RING_F_EVENT_IDX) };
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	for (unsigned int f = 0; f < 2; f++) {
		front_end_open(&fe, daemon.socket);
		front_end_set_up(&fe, features[f]);
		/*
		 * 20 requests need 60 of the ring's 64 descriptors. The available ring and the
		 * used ring wrap often, at different requests of a round.
		 */
		for (unsigned int round = 0; round < 400; round++) {
			for (unsigned int n = 0; n < 20; n++)
				block_submit(&fe, n, VIRTIO_BLK_T_OUT, n, 512);
			block_kick(&fe);
			block_wait(&fe, 20);
			for (unsigned int n = 0; n < 20; n++)
				assert_int_equal(block_status(&fe, n), VIRTIO_BLK_S_OK);
		}
		assert_int_equal(get_base(&fe), 400 * 20);
		front_end_close(&fe);
	}
	daemon_finish(&daemon);
}

/*
 * Another back end has served the ring before, so the available and the used index begin at 65534.
 */
static void session_continues_a_ring_at_its_indices(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_negotiate(&fe, RING_FEATURES);
	front_end_share_memory(&fe);
	assert_int_equal(virtio_mock_seek(&fe.mock, 65534), 0);
	front_end_set_ring(&fe, 65534);
	front_end_start_ring(&fe);
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	assert_int_equal(get_base(&fe), 3);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

static void session_restarts_a_ring_where_it_stopped(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, RING_FEATURES);
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	assert_int_equal(get_base(&fe), 1);
	/* The ring is stopped, so the request waits for the next start, despite the kick. */
	block_submit(&fe, 0, VIRTIO_BLK_T_IN, 0, 512);
	block_kick(&fe);
	assert_int_equal(get_base(&fe), 1);
	assert_int_equal(block_status(&fe, 0), 0xff);
	assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_KICK, 0, fe.kick), 0);
	block_wait(&fe, 1);
	assert_int_equal(block_status(&fe, 0), VIRTIO_BLK_S_OK);
	/* A disabled ring serves no request either. */
	assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_ENABLE, 0, 0), 0);
	block_submit(&fe, 0, VIRTIO_BLK_T_IN, 0, 512);
	block_kick(&fe);
	(void)front_end_get_u64(&fe, VHOST_USER_GET_FEATURES);
	assert_int_equal(block_status(&fe, 0), 0xff);
	assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_ENABLE, 0, 1), 0);
	block_wait(&fe, 1);
	/* After the deprecated request RESET_OWNER the ring is stopped, too. */
	assert_int_equal(front_end_ask(&fe, VHOST_USER_RESET_OWNER, NULL, 0, NULL, 0), 0);
	block_submit(&fe, 0, VIRTIO_BLK_T_IN, 0, 512);
	block_kick(&fe);
	assert_int_equal(get_base(&fe), 3);
	assert_int_equal(block_status(&fe, 0), 0xff);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* Without VHOST_USER_F_PROTOCOL_FEATURES a ring starts enabled. A front end may still enable it. */
static void session_enables_rings_without_protocol_features(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	for (unsigned int i = 0; i < 2; i++) {
		front_end_open(&fe, daemon.socket);
		assert_int_equal(front_end_ask_u64(&fe, VHOST_USER_SET_FEATURES, FEATURE(VIRTIO_F_VERSION_1)), 0);
		front_end_share_memory(&fe);
		front_end_set_ring(&fe, 0);
		if (i == 1)
			assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_ENABLE, 0, 1), 0);
		assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_KICK, 0, fe.kick), 0);
		assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
		front_end_close(&fe);
	}
	daemon_finish(&daemon);
}

static void session_polls_a_ring_without_a_kick_descriptor(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_negotiate(&fe, 0);
	front_end_share_memory(&fe);
	front_end_set_ring(&fe, 0);
	assert_int_equal(front_end_ask_u64(&fe, VHOST_USER_SET_VRING_KICK, VHOST_USER_VRING_NO_FD), 0);
	assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_ENABLE, 0, 1), 0);
	for (unsigned int i = 0; i < 10; i++) {
		block_submit(&fe, 0, VIRTIO_BLK_T_IN, 0, 512);
		block_wait(&fe, 1);
		assert_int_equal(block_status(&fe, 0), VIRTIO_BLK_S_OK);
	}
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* A call descriptor may be a pipe, or a socket as from User Mode Linux. */
static void session_signals_by_pipe_and_socket(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;
	int ends[2];

	(void)state;
	daemon_start(&daemon, "");
	for (unsigned int i = 0; i < 2; i++) {
		front_end_open(&fe, daemon.socket);
		front_end_set_up(&fe, 0);
		assert_int_equal(i == 0 ? pipe(ends) : socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
		assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_CALL, 0, ends[1]), 0);
		assert_int_equal(dup2(ends[0], fe.call), fe.call);
		assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
		close(ends[0]);
		close(ends[1]);
		front_end_close(&fe);
	}
	daemon_finish(&daemon);
}

/* The front end never reads its signals. The daemon must not block. */
static void session_goes_on_when_signals_are_not_read(void **state)
{
	struct daemon_process daemon;
	struct vring_used_elem used;
	struct front_end fe;
	int ends[2];
	char text[256];

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_CALL, 0, ends[1]), 0);
	for (unsigned int i = 0; i < 2000; i++) {
		block_submit(&fe, 0, VIRTIO_BLK_T_IN, 0, 512);
		block_kick(&fe);
		while (virtio_mock_pop_used(&fe.mock, &used) != 1)
			;
	}
	assert_int_equal(daemon_errors(&daemon, text, sizeof text), 0);
	close(ends[0]);
	close(ends[1]);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

static void session_switches_memory_while_the_ring_runs(void **state)
{
	struct daemon_process daemon;
	struct vhost_user_memory table = front_end_table();
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, RING_FEATURES);
	block_write_and_read(&fe, 1, 0x11);
	/*
	 * The first new table has a third region. The second new table has only one region, in
	 * place of the two original regions.
	 */
	table.count = 3;
	table.regions[2] = table.regions[1];
	table.regions[2].guest_addr += GUEST_BYTES;
	table.regions[2].user_addr += GUEST_BYTES;
	assert_int_equal(front_end_ask_table(&fe, &table), 0);
	block_write_and_read(&fe, 2, 0x22);
	table.count = 1;
	table.regions[0].size = GUEST_BYTES;
	assert_int_equal(front_end_ask_table(&fe, &table), 0);
	block_write_and_read(&fe, 3, 0x33);
	/* A table without the ring, and an empty table, are refused. The ring keeps its memory. */
	table.regions[0].guest_addr += 0x1000;
	table.regions[0].size -= 0x1000;
	assert_int_equal(front_end_ask_table(&fe, &table), 1);
	table.count = 0;
	assert_int_equal(front_end_ask_table(&fe, &table), 1);
	block_write_and_read(&fe, 4, 0x44);
	front_end_close(&fe);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, " 0 faults"));
}

/* The daemon seals the file of guest memory, so the front end can't shrink the file. */
static void session_seals_memory_against_shrinking(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_share_memory(&fe);
	assert_int_equal(ftruncate(fe.memory_fd, 0), -1);
	assert_int_equal(errno, EPERM);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

static void session_shows_the_configuration_space(void **state)
{
	struct vhost_user_config config = { .size = 60 };
	const uint32_t header = offsetof(struct vhost_user_config, data);
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, ",queues=3");
	front_end_open(&fe, daemon.socket);
	assert_int_equal(front_end_get_u64(&fe, VHOST_USER_GET_QUEUE_NUM), 3);
	front_end_send(&fe, VHOST_USER_GET_CONFIG, VHOST_USER_FLAG_VERSION, &config, header + 60, NULL, 0);
	assert_int_equal(front_end_reply(&fe, VHOST_USER_GET_CONFIG, &config, sizeof config), header + 60);
	assert_int_equal(config.size, 60);
	assert_int_equal(virtio_get_le64(config.data), IMAGE_BYTES / 512);
	assert_int_equal(virtio_get_le16(config.data + offsetof(struct virtio_blk_config, num_queues)), 3);
	/*
	 * Hostile 103: beyond the end of the configuration space a read returns zeroes. Beyond the
	 * largest offset that a front end may use, the reply is empty.
	 */
	memset(&config, 0xee, sizeof config);
	config.offset = 200;
	config.size = 56;
	front_end_send(&fe, VHOST_USER_GET_CONFIG, VHOST_USER_FLAG_VERSION, &config, header + 56, NULL, 0);
	assert_int_equal(front_end_reply(&fe, VHOST_USER_GET_CONFIG, &config, sizeof config), header + 56);
	for (unsigned int i = 0; i < 56; i++)
		assert_int_equal(config.data[i], 0);
	config.offset = VHOST_USER_CONFIG_BASE + VHOST_USER_CONFIG_SPACE - 55;
	front_end_send(&fe, VHOST_USER_GET_CONFIG, VHOST_USER_FLAG_VERSION, &config, header + 56, NULL, 0);
	assert_int_equal(front_end_reply(&fe, VHOST_USER_GET_CONFIG, &config, sizeof config), 0);
	config.offset = UINT32_MAX;
	front_end_send(&fe, VHOST_USER_GET_CONFIG, VHOST_USER_FLAG_VERSION, &config, header + 56, NULL, 0);
	assert_int_equal(front_end_reply(&fe, VHOST_USER_GET_CONFIG, &config, sizeof config), 0);
	/* Hostile 104: no byte of the configuration space can be written. */
	memset(&config, 0, sizeof config);
	config.size = 8;
	assert_int_equal(front_end_ask(&fe, VHOST_USER_SET_CONFIG, &config, header + 8, NULL, 0), 1);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

static void ask_config(struct front_end *fe, struct vhost_user_config *config, uint32_t room, int expected)
{
	front_end_send(fe, VHOST_USER_GET_CONFIG, VHOST_USER_FLAG_VERSION, config,
		       (uint32_t)offsetof(struct vhost_user_config, data) + room, NULL, 0);
	assert_int_equal(front_end_reply(fe, VHOST_USER_GET_CONFIG, config, sizeof *config), expected);
}

/*
 * Hostile 208: the daemon accepts the offsets and sizes that other back ends accept. A reply has
 * all bytes that were asked for, and is at least as long as its request.
 */
static void session_shows_the_configuration_space_at_any_offset(void **state)
{
	const int header = offsetof(struct vhost_user_config, data);
	struct vhost_user_config config, whole = { .size = 60 };
	const uint32_t offsets[] = { 0, 4, 20, 59, 60, 100 };
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	ask_config(&fe, &whole, 60, header + 60);
	for (unsigned int i = 0; i < sizeof offsets / sizeof *offsets; i++) {
		for (unsigned int base = 0; base <= VHOST_USER_CONFIG_BASE; base += VHOST_USER_CONFIG_BASE) {
			config = (struct vhost_user_config){ .offset = base + offsets[i], .size = 8 };
			memset(config.data, 0xee, sizeof config.data);
			ask_config(&fe, &config, 8, header + 8);
			assert_int_equal(config.offset, base + offsets[i]);
			assert_int_equal(config.size, 8);
			for (unsigned int b = 0; b < 8; b++)
				assert_int_equal(config.data[b], offsets[i] + b < 60 ? whole.data[offsets[i] + b] : 0);
		}
	}
	/* A request may have room for more bytes than it asks for, or for no bytes. */
	config = (struct vhost_user_config){ .size = 8 };
	ask_config(&fe, &config, 256, header + 256);
	assert_memory_equal(config.data, whole.data, 8);
	assert_int_equal(config.data[8], 0);
	config = (struct vhost_user_config){ .size = 60 };
	ask_config(&fe, &config, 0, header + 60);
	assert_memory_equal(config.data, whole.data, 60);
	config = (struct vhost_user_config){ .size = sizeof config.data };
	ask_config(&fe, &config, sizeof config.data, sizeof config);
	assert_memory_equal(config.data, whole.data, 60);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/*
 * Hostile 206 and 207: SIZE_MAX is offered only with size-max=, and the fields of BLK_SIZE and
 * TOPOLOGY are filled in.
 */
static void session_offers_defaults_that_suit_all_drivers(void **state)
{
	const uint64_t size_max = FEATURE(VIRTIO_BLK_F_SIZE_MAX);
	const uint64_t blocks = FEATURE(VIRTIO_BLK_F_BLK_SIZE) | FEATURE(VIRTIO_BLK_F_TOPOLOGY);
	const struct {
		const char *options;
		uint32_t size_max, seg_max, block, exp, min_io, opt_io, discard_alignment;
	} disks[] = {
		{ "", 0, 126, 512, 3, 8, 0, 8 },
		{ ",physical-block-size=512", 0, 126, 512, 0, 1, 0, 1 },
		{ ",block-size=4096", 0, 126, 4096, 0, 1, 0, 8 },
		{ ",block-size=2048,physical-block-size=16384,min-io-size=65536,opt-io-size=1048576", 0, 126, 2048, 3,
		  32, 512, 32 },
		{ ",seg-max=254,size-max=1048576,discard-granularity=65536", 1048576, 254, 512, 3, 8, 0, 128 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof disks / sizeof *disks; i++) {
		struct vhost_user_config config = { .size = 60 };
		struct daemon_process daemon;
		struct front_end fe;
		uint64_t features;

		daemon_start(&daemon, disks[i].options);
		front_end_open(&fe, daemon.socket);
		assert_int_equal(front_end_get_u64(&fe, VHOST_USER_GET_QUEUE_NUM), 16);
		features = front_end_get_u64(&fe, VHOST_USER_GET_FEATURES);
		assert_int_equal(features & blocks, blocks);
		assert_int_equal(features & size_max, disks[i].size_max ? size_max : 0);
		ask_config(&fe, &config, 60, offsetof(struct vhost_user_config, data) + 60);
		assert_int_equal(virtio_get_le32(config.data + 8), disks[i].size_max);
		assert_int_equal(virtio_get_le32(config.data + 12), disks[i].seg_max);
		assert_int_equal(virtio_get_le32(config.data + 20), disks[i].block);
		assert_int_equal(config.data[24], disks[i].exp);
		assert_int_equal(config.data[25], 0);
		assert_int_equal(virtio_get_le16(config.data + 26), disks[i].min_io);
		assert_int_equal(virtio_get_le32(config.data + 28), disks[i].opt_io);
		assert_int_equal(virtio_get_le32(config.data + 44), disks[i].discard_alignment);
		front_end_set_up(&fe, 0);
		block_write_and_read(&fe, 1, 1);
		front_end_close(&fe);
		daemon_finish(&daemon);
	}
}

/*
 * The image ends within a sector. The rest of the sector reads as zeroes, and the daemon warns
 * about the size.
 */
static void session_rounds_an_image_up_to_whole_sectors(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;
	char text[512];
	struct stat st;

	(void)state;
	daemon_folder(&daemon);
	assert_int_equal(truncate(daemon.image, 5 * 512 + 100), 0);
	daemon_start_again(&daemon, "");
	assert_int_equal(daemon_errors(&daemon, text, sizeof text), 1);
	assert_non_null(strstr(text, "2660 bytes are not whole blocks of 512"));
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	for (unsigned int sectors = 1; sectors <= 6; sectors++) {
		memset(block_data(&fe), 0xee, 4096);
		assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 6 - sectors, sectors * 512), VIRTIO_BLK_S_OK);
		for (unsigned int i = 0; i < sectors * 512; i++)
			assert_int_equal(block_data(&fe)[i], 0);
	}
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 6, 512), VIRTIO_BLK_S_IOERR);
	assert_int_equal(stat(daemon.image, &st), 0);
	assert_int_equal(st.st_size, 2660);
	block_write_and_read(&fe, 5, 9);
	assert_int_equal(stat(daemon.image, &st), 0);
	assert_int_equal(st.st_size, 6 * 512);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/*
 * A guest writes to a read-only field. Its front end sends SET_CONFIG with and without asking for a
 * reply. The disk must still work.
 */
static void session_outlives_a_write_to_the_configuration_space(void **state)
{
	struct vhost_user_config config = { .offset = 32, .size = 1, .data = { 1 } };
	const uint32_t header = offsetof(struct vhost_user_config, data);
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	for (config.flags = 0; config.flags < 3; config.flags++) {
		assert_int_equal(front_end_ask(&fe, VHOST_USER_SET_CONFIG, &config, header + 1, NULL, 0), 1);
		/* The payload is longer than the bytes to write, and then shorter. */
		assert_int_equal(front_end_ask(&fe, VHOST_USER_SET_CONFIG, &config, header + 256, NULL, 0), 1);
		assert_int_equal(front_end_ask(&fe, VHOST_USER_SET_CONFIG, &config, header, NULL, 0), 1);
		front_end_send(&fe, VHOST_USER_SET_CONFIG, VHOST_USER_FLAG_VERSION, &config, header + 1, NULL, 0);
	}
	block_write_and_read(&fe, 1, 1);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* Hostile 124: writes are refused although the driver has not accepted VIRTIO_BLK_F_RO. */
static void session_refuses_writes_to_a_read_only_disk(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, ",readonly=on");
	front_end_open(&fe, daemon.socket);
	assert_true(front_end_get_u64(&fe, VHOST_USER_GET_FEATURES) & FEATURE(VIRTIO_BLK_F_RO));
	front_end_set_up(&fe, 0);
	memset(block_data(&fe), 1, 512);
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_IOERR);
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	assert_int_equal(block_data(&fe)[0], 0);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* Only the first failure is logged. */
static void session_reports_a_disk_that_fails(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;
	char text[512];

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	assert_int_equal(truncate(daemon.image, 512), 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 1, 512), VIRTIO_BLK_S_IOERR);
	assert_int_equal(daemon_errors(&daemon, text, sizeof text), 1);
	assert_non_null(strstr(text, "disk.img: a request failed: VIRTIO_EIO"));
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* Each reason is logged once. */
static void session_reports_each_refusal_once(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;
	char text[512];

	(void)state;
	daemon_start(&daemon, ",readonly=on");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	assert_int_equal(daemon_errors(&daemon, text, sizeof text), 0);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, IMAGE_BYTES / 512, 512), VIRTIO_BLK_S_IOERR);
		assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 0, 511), VIRTIO_BLK_S_IOERR);
		assert_int_equal(block_io(&fe, VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_IOERR);
		assert_int_equal(block_io(&fe, 99, 0, 512), VIRTIO_BLK_S_UNSUPP);
	}
	assert_int_equal(daemon_errors(&daemon, text, sizeof text), 4);
	assert_non_null(strstr(text, "disk.img: a request was refused: past the end of the disk\n"));
	assert_non_null(strstr(text, "disk.img: a request was refused: not whole sectors\n"));
	assert_non_null(strstr(text, "disk.img: a request was refused: write to a read-only disk\n"));
	assert_non_null(strstr(text, "disk.img: a request was refused: unknown type\n"));
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* The process's limit on file size is below the image's size. */
static void session_survives_writes_beyond_the_limit_of_files(void **state)
{
	const struct rlimit limit = { IMAGE_BYTES / 2, IMAGE_BYTES / 2 };
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	assert_int_equal(prlimit(daemon.pid, RLIMIT_FSIZE, &limit, NULL), 0);
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, RING_FEATURES);
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_OUT, IMAGE_BYTES / 2 / 512, 512), VIRTIO_BLK_S_IOERR);
	/* This request begins below the limit, and ends above the limit. */
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_OUT, IMAGE_BYTES / 2 / 512 - 1, 1024), VIRTIO_BLK_S_IOERR);
	block_write_and_read(&fe, IMAGE_BYTES / 2 / 512 - 1, 0x3c);
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, IMAGE_BYTES / 2 / 512, 512), VIRTIO_BLK_S_OK);
	front_end_close(&fe);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, "failed 2)"));
}

static void submit_range(struct front_end *fe, uint32_t type, uint64_t sector, uint32_t sectors, uint32_t flags)
{
	const struct virtio_blk_discard_write_zeroes range = {
		.sector = virtio_le64(sector),
		.num_sectors = virtio_le32(sectors),
		.flags = virtio_le32(flags),
	};

	memcpy(block_data(fe), &range, sizeof range);
	block_submit(fe, 0, type, 0, sizeof range);
	block_kick(fe);
	block_wait(fe, 1);
}

/*
 * After a write of zeroes, the range reads as zeroes, with or without the flag UNMAP, and the
 * sectors beside it are unchanged. After a discard the range may have any content.
 */
static void session_discards_and_writes_zeroes(void **state)
{
	const uint64_t features = FEATURE(VIRTIO_BLK_F_DISCARD) | FEATURE(VIRTIO_BLK_F_WRITE_ZEROES);
	struct daemon_process daemon;
	struct front_end fe;
	uint8_t zeros[512] = { 0 };

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, features);
	for (uint32_t flags = 0; flags < 2; flags++) {
		for (unsigned int sector = 8; sector < 12; sector++)
			block_write_and_read(&fe, sector, 0x77);
		submit_range(&fe, VIRTIO_BLK_T_WRITE_ZEROES, 9, 2, flags);
		assert_int_equal(block_status(&fe, 0), VIRTIO_BLK_S_OK);
		for (unsigned int sector = 8; sector < 12; sector++) {
			assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, sector, 512), VIRTIO_BLK_S_OK);
			if (sector == 9 || sector == 10)
				assert_memory_equal(block_data(&fe), zeros, sizeof zeros);
			else
				assert_int_equal(block_data(&fe)[511], 0x77);
		}
	}
	submit_range(&fe, VIRTIO_BLK_T_DISCARD, 0, IMAGE_BYTES / 512, 0);
	assert_int_equal(block_status(&fe, 0), VIRTIO_BLK_S_OK);
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 11, 512), VIRTIO_BLK_S_OK);
	submit_range(&fe, VIRTIO_BLK_T_DISCARD, 1, IMAGE_BYTES / 512, 0);
	assert_int_equal(block_status(&fe, 0), VIRTIO_BLK_S_IOERR);
	submit_range(&fe, VIRTIO_BLK_T_SECURE_ERASE, 0, 1, 0);
	assert_int_equal(block_status(&fe, 0), VIRTIO_BLK_S_UNSUPP);
	front_end_close(&fe);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, "discard 2, write-zeroes 2, other 1, failed 2)"));
	assert_non_null(strstr(daemon.summary, " 0 faults"));
}

/* Rings that guests break */

static void expect_broken(struct front_end *fe)
{
	uint64_t count;

	/* This read blocks until the daemon signals. */
	assert_int_equal(read(fe->err, &count, sizeof count), sizeof count);
	assert_int_equal(count, 1);
	/* Messages are still served. */
	(void)front_end_get_u64(fe, VHOST_USER_GET_FEATURES);
}

/* Hostile 7 and hostile 17: the available index is too far ahead, and kicks follow. */
static void session_stops_a_ring_whose_index_jumps(void **state)
{
	const uint64_t one = 1;
	struct daemon_process daemon;
	struct front_end fe;
	char text[1024];

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, RING_FEATURES);
	block_write_and_read(&fe, 1, 1);
	assert_int_equal(virtio_mock_set(&fe.mock, VIRTIO_MOCK_AVAIL_IDX, 3 + RING_SIZE + 1), 0);
	assert_int_equal(write(fe.kick, &one, sizeof one), sizeof one);
	expect_broken(&fe);
	/* A new call descriptor must not start the broken ring again. */
	assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_CALL, 0, fe.call), 0);
	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(write(fe.kick, &one, sizeof one), sizeof one);
	assert_int_equal(get_base(&fe), 3);
	assert_int_equal(daemon_errors(&daemon, text, sizeof text), 1);
	assert_non_null(strstr(text, "VIRTIO_EAVAILIDX"));
	/* The guest resets the device, and the front end sets the ring up again. */
	assert_int_equal(virtio_mock_reset(&fe.mock), 0);
	front_end_set_ring(&fe, 0);
	front_end_start_ring(&fe);
	block_write_and_read(&fe, 2, 2);
	front_end_close(&fe);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, " 1 faults"));
}

/*
 * Hostile 6: a head is out of range. Good requests before this head are completed, with an
 * interrupt.
 */
static void session_stops_a_ring_with_a_head_out_of_range(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, RING_FEATURES);
	block_submit(&fe, 0, VIRTIO_BLK_T_IN, 0, 512);
	assert_int_equal(virtio_mock_offer(&fe.mock, RING_SIZE), 0);
	assert_int_equal(virtio_mock_publish(&fe.mock), 0);
	block_kick(&fe);
	block_wait(&fe, 1);
	assert_int_equal(block_status(&fe, 0), VIRTIO_BLK_S_OK);
	expect_broken(&fe);
	front_end_close(&fe);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, " 1 faults"));
}

/* Hostile 5 and 16: each malformed chain is completed, and only the first is logged. */
static void session_completes_malformed_chains(void **state)
{
	const struct vring_desc bad = {
		.addr = virtio_le64(GUEST_ADDR + DATA),
		.len = virtio_le32(512),
		.flags = virtio_le16(VRING_DESC_F_NEXT),
		.next = virtio_le16(RING_SIZE),
	};
	struct daemon_process daemon;
	struct vring_used_elem used;
	struct front_end fe;
	char text[256];
	int head;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	for (unsigned int i = 0; i < 1000; i++) {
		const struct virtio_mock_buffer buffer = { .addr = GUEST_ADDR + DATA, .len = 512 };

		head = virtio_mock_alloc(&fe.mock, &buffer, 1);
		assert_true(head >= 0);
		assert_int_equal(virtio_mock_set_desc(&fe.mock, (uint32_t)head, &bad), 0);
		assert_int_equal(virtio_mock_offer(&fe.mock, (uint16_t)head), 0);
		assert_int_equal(virtio_mock_publish(&fe.mock), 0);
		block_kick(&fe);
		while (virtio_mock_pop_used(&fe.mock, &used) != 1)
			;
		assert_int_equal(used.id, head);
		assert_int_equal(used.len, 0);
	}
	block_write_and_read(&fe, 3, 3);
	front_end_close(&fe);
	assert_int_equal(daemon_errors(&daemon, text, sizeof text), 1);
	assert_non_null(strstr(text, "disk.img: a request was refused: bad chain: VIRTIO_ENEXT"));
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, " 1000 faults"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_serves_requests_and_counts_them),
		cmocka_unit_test(session_writes_reach_the_image),
		cmocka_unit_test(session_serves_a_whole_ring_with_and_without_event_idx),
		cmocka_unit_test(session_continues_a_ring_at_its_indices),
		cmocka_unit_test(session_restarts_a_ring_where_it_stopped),
		cmocka_unit_test(session_enables_rings_without_protocol_features),
		cmocka_unit_test(session_polls_a_ring_without_a_kick_descriptor),
		cmocka_unit_test(session_signals_by_pipe_and_socket),
		cmocka_unit_test(session_goes_on_when_signals_are_not_read),
		cmocka_unit_test(session_switches_memory_while_the_ring_runs),
		cmocka_unit_test(session_seals_memory_against_shrinking),
		cmocka_unit_test(session_shows_the_configuration_space),
		cmocka_unit_test(session_shows_the_configuration_space_at_any_offset),
		cmocka_unit_test(session_offers_defaults_that_suit_all_drivers),
		cmocka_unit_test(session_rounds_an_image_up_to_whole_sectors),
		cmocka_unit_test(session_outlives_a_write_to_the_configuration_space),
		cmocka_unit_test(session_refuses_writes_to_a_read_only_disk),
		cmocka_unit_test(session_reports_a_disk_that_fails),
		cmocka_unit_test(session_reports_each_refusal_once),
		cmocka_unit_test(session_survives_writes_beyond_the_limit_of_files),
		cmocka_unit_test(session_discards_and_writes_zeroes),
		cmocka_unit_test(session_stops_a_ring_whose_index_jumps),
		cmocka_unit_test(session_stops_a_ring_with_a_head_out_of_range),
		cmocka_unit_test(session_completes_malformed_chains),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
