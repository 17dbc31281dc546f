/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A guest has traffic on two queues of each of its devices: a disk, a console and a socket device.
 * The devices are saved at random points, and restored into a fresh process over the same memory
 * file. No data is lost, repeated or reordered. Hostile 78, 80, 239 and 243.
 *
 * This process is the guest, its drivers, and the host's clients. The devices are in a child, which
 * follows orders from a socket, so each run is the same. In a move, the child replies with its
 * saved file and ends. The next child begins with this file, in the same memory. One move may
 * directly follow another move.
 */
#include "random_state.h"

#include "../common/long.h"
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/queue_mock.h>

#define GUESTS 200u /* number of guests in a usual run; a long run has 50 times as many */
#define MOVES 3u
#define STEPS 40u /* steps between two moves */
#define DEPTH 8u  /* largest number of outstanding requests of a queue; 4 for the disk */
#define SLOT 512u /* bytes of guest memory for a request */
#define SLOTS 16u
#define DATA 0x12000u /* address of the requests */
#define SECTORS (MACHINE_SECTORS / 2)
#define LINKS 2u /* queues with traffic in each device */

/* The orders for the child. */
enum order { ORDER_KICK, ORDER_WORK, ORDER_INPUT, ORDER_SAVE };

struct message {
	uint32_t order, device, queue;
	uint32_t number; /* number of requests, or number of bytes of input */
	uint32_t room;   /* room in the console's sink */
	uint8_t first;   /* first byte of input; each further byte is one higher */
};

struct answer {
	uint32_t output_bytes, stream_bytes, enqueued, file_bytes;
	uint32_t interrupts[MACHINE_DEVICES];
	uint8_t output[8192], stream[8192];
	uint8_t file[MACHINE_FILE_BYTES];
};

static void put_all(int fd, const void *bytes, size_t length)
{
	for (size_t done = 0; done < length;) {
		const ssize_t n = write(fd, (const uint8_t *)bytes + done, length - done);

		MUST(n > 0);
		done += (size_t)n;
	}
}

static bool get_all(int fd, void *bytes, size_t length)
{
	for (size_t done = 0; done < length;) {
		const ssize_t n = read(fd, (uint8_t *)bytes + done, length - done);

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/* Shared by both processes: guest memory, and the image of the disk. */
static uint8_t *ram, *storage;

/* The guest's drivers. The first child reads the addresses of the queues from `mocks`. */
static struct virtio_region region;
static struct virtio_memory_map map;
static struct virtio_mock mocks[MACHINE_DEVICES][LINKS];
static struct virtio_mock_slot slots[MACHINE_DEVICES][LINKS][MACHINE_QUEUE_SIZE];

/* The devices, in the child */

static struct machine machine;
static struct answer answer;

static void take_output(void *context, uint32_t port, const void *bytes, size_t len)
{
	struct answer *a = context;

	MUST(port == 0 && a->output_bytes + len <= sizeof a->output);
	memcpy(a->output + a->output_bytes, bytes, len);
	a->output_bytes += (uint32_t)len;
}

static void bring_up(uint32_t number, uint64_t features)
{
	struct virtio_device *device = &machine.parts[number].device;
	uint32_t status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;

	MUST(virtio_device_write_status(device, status) == 0);
	virtio_device_accept_features(device, 0, (uint32_t)features | 1u << VIRTIO_RING_F_EVENT_IDX);
	virtio_device_accept_features(device, 1, 1);
	status |= VIRTIO_CONFIG_S_FEATURES_OK;
	MUST(virtio_device_write_status(device, status) == 0);
	for (uint32_t i = 0; i < LINKS; i++) {
		device->queue_sel = i;
		for (int area = VIRTIO_QUEUE_DESC; area <= VIRTIO_QUEUE_USED; area++)
			virtio_device_set_queue_addr_low(device, (enum virtio_queue_area)area,
							 (uint32_t)mocks[number][i].addr[area]);
		MUST(virtio_device_enable_queue(device, 1) == 0 && virtio_device_queue_enabled(device));
	}
	status |= VIRTIO_CONFIG_S_DRIVER_OK;
	MUST(virtio_device_write_status(device, status) == 0 && virtio_device_status(device) == status);
}

static void interrupt_if_wanted(uint32_t device, uint32_t queue)
{
	struct machine_part *part = &machine.parts[device];

	if (virtio_queue_needs_interrupt(&part->queues[queue]))
		virtio_device_interrupt_used(&part->device, (uint16_t)queue);
}

/*
 * Pops all requests, and carries out at most `number` of them. Picks the requests in any order, so
 * that completions are out of order.
 */
static void work_disk(uint32_t queue, uint32_t number)
{
	struct machine_part *part = &machine.parts[MACHINE_DISK];
	struct virtio_segment segments[MACHINE_SEGMENTS];
	const struct virtio_blk_storage space = { .segments = segments, .segment_capacity = MACHINE_SEGMENTS };
	struct virtio_blk_request request;

	MUST(virtio_blk_request_init(&request, &space) == 0);
	(void)machine_hold(&machine, MACHINE_DISK, queue, MACHINE_QUEUE_SIZE);
	for (; number > 0 && part->held_count[queue] > 0; number--) {
		const uint32_t at = number % part->held_count[queue];
		struct virtio_chain *one = &part->held[queue][at];
		struct virtio_blk_result result;

		MUST(virtio_blk_parse(one, &request) == 0);
		virtio_blk_execute(&machine.blk, &request, &result);
		MUST(virtio_blk_complete(&part->queues[queue], &request, &result, NULL) == 0);
		part->held_count[queue]--;
		memmove(one, one + 1, (part->held_count[queue] - at) * sizeof *one);
	}
}

static void work_console(uint32_t queue, uint32_t room)
{
	struct virtio_queue *q = &machine.parts[MACHINE_CONSOLE].queues[queue];
	struct virtio_console_progress progress;

	machine.output_room = room;
	if (queue == 0)
		MUST(virtio_console_receive(&machine.console, 0, q, &progress) == 0);
	else
		MUST(virtio_console_transmit(&machine.console, 0, q, &progress) == 0);
	if (progress.notify)
		virtio_device_interrupt_used(&machine.parts[MACHINE_CONSOLE].device, (uint16_t)queue);
}

/* Serves packets from the guest. Accepts each connection, and forwards data at once. */
static void work_tx(uint32_t number)
{
	struct virtio_queue *q = &machine.parts[MACHINE_SOCKETS].queues[1];
	struct virtio_segment segments[MACHINE_SEGMENTS];
	struct virtio_vsock_packet packet;
	struct virtio_vsock_received got;

	MUST(virtio_vsock_packet_init(&packet, segments, MACHINE_SEGMENTS, 1024) == 0);
	for (; number > 0 && virtio_vsock_tx_pop(q, &packet) == 1; number--) {
		struct virtio_reader reader;

		MUST(virtio_vsock_table_receive(&machine.table, &packet.header, packet.error, 0, &got) == 0);
		if (got.got & VIRTIO_VSOCK_GOT_REQUEST)
			MUST(virtio_vsock_connection_accept(got.connection) == 0);
		if (got.got & VIRTIO_VSOCK_GOT_DATA) {
			MUST(answer.stream_bytes + got.bytes <= sizeof answer.stream);
			virtio_reader_init(&reader, &packet.data);
			MUST(virtio_reader_read(&reader, answer.stream + answer.stream_bytes, got.bytes) == got.bytes);
			answer.stream_bytes += got.bytes;
			MUST(virtio_vsock_connection_forwarded(got.connection, got.bytes, 1, 0) == 0);
		}
		MUST(virtio_vsock_complete(q, &packet) == 0);
	}
}

/*
 * Sends a pending packet, or data. Each byte of data has the value of its position in the stream.
 */
static bool send_one(struct virtio_vsock_packet *packet)
{
	struct virtio_vsock_connection *c = virtio_vsock_table_each(&machine.table, NULL);
	struct virtio_vsock_piece piece;
	struct virtio_writer writer;
	uint8_t bytes[100];

	if (virtio_vsock_table_next(&machine.table, &packet->header) == 1)
		return true;
	if (!c || virtio_vsock_connection_piece(c, 1 + c->tx_cnt % 90, 0, 100, 0, &piece) != 1)
		return false;
	for (uint32_t i = 0; i < piece.bytes; i++)
		bytes[i] = (uint8_t)(c->tx_cnt + i);
	MUST(virtio_vsock_connection_send(c, &piece, &packet->header) == 0);
	virtio_writer_init(&writer, &packet->data);
	MUST(virtio_writer_write(&writer, bytes, piece.bytes) == piece.bytes);
	return true;
}

static void work_rx(uint32_t number)
{
	struct virtio_queue *q = &machine.parts[MACHINE_SOCKETS].queues[0];
	struct virtio_segment segments[MACHINE_SEGMENTS];
	struct virtio_vsock_packet packet;

	MUST(virtio_vsock_packet_init(&packet, segments, MACHINE_SEGMENTS, 1024) == 0);
	for (; number > 0 && virtio_vsock_rx_pop(q, &packet) == 1; number--) {
		if (!send_one(&packet)) {
			MUST(virtio_queue_unpop(q, packet.token) == 0);
			break;
		}
		MUST(virtio_vsock_rx_commit(q, &packet) == 0);
	}
}

/* Serves each queue that was kicked, or in which the last call has left requests. */
static void work(const struct message *m)
{
	for (uint32_t device = 0; device < MACHINE_DEVICES; device++)
		for (uint32_t queue = 0; queue < LINKS; queue++) {
			struct machine_part *part = &machine.parts[device];

			/*
			 * Queue 0 of the console or of the socket device is always served, because
			 * data from the host arrives without a kick.
			 */
			if (part->notified[queue] == 0 && (queue == 1 || device == MACHINE_DISK))
				continue;
			if (device == MACHINE_DISK)
				work_disk(queue, m->number);
			else if (device == MACHINE_CONSOLE)
				work_console(queue, m->room);
			else if (queue == 0)
				work_rx(m->number);
			else
				work_tx(m->number);
			interrupt_if_wanted(device, queue);
			part->notified[queue] = virtio_queue_enable_kicks(&part->queues[queue]) == 1 ||
						part->held_count[queue] || !virtio_queue_quiesced(&part->queues[queue]);
		}
}

static void obey(const struct message *m)
{
	uint8_t input[MACHINE_INPUT];
	bool wake;
	int got;

	switch (m->order) {
	case ORDER_KICK:
		virtio_device_notify(&machine.parts[m->device].device, m->queue);
		break;
	case ORDER_WORK:
		work(m);
		break;
	case ORDER_INPUT:
		for (uint32_t i = 0; i < m->number; i++)
			input[i] = (uint8_t)(m->first + i);
		got = virtio_console_input_enqueue(&machine.inputs[0], input, m->number, &wake);
		answer.enqueued = got > 0 ? (uint32_t)got : 0;
		break;
	default:
		answer.file_bytes = (uint32_t)machine_save(&machine, answer.file);
	}
}

/* The child's main function. Its devices come from a file, or are new. Never returns. */
static void be_host(int fd, const uint8_t *file, size_t length)
{
	static struct machine_state state;
	struct virtio_section_reader reader;
	struct message m = { .order = ORDER_KICK };

	machine_make(&machine, ram, storage);
	machine.output = take_output;
	machine.output_context = &answer;
	if (length) {
		MUST(machine_read(&machine, file, length, &state, &reader) == 0);
		MUST(machine_restore(&machine, &state) == 0);
		machine_resume(&machine);
	} else {
		bring_up(MACHINE_DISK, virtio_blk_offered(&machine.blk));
		bring_up(MACHINE_CONSOLE, 0);
		bring_up(MACHINE_SOCKETS, virtio_vsock_offered(&machine.vsock));
	}
	while (m.order != ORDER_SAVE && get_all(fd, &m, sizeof m)) {
		memset(&answer, 0, sizeof answer);
		obey(&m);
		for (uint32_t i = 0; i < MACHINE_DEVICES; i++)
			answer.interrupts[i] = machine.parts[i].used_interrupts;
		put_all(fd, &answer, sizeof answer);
	}
	_exit(0);
}

/* The guest */

struct link {
	uint32_t added, returned;            /* numbers of requests */
	uint32_t number[MACHINE_QUEUE_SIZE]; /* the request's number, by head */
	bool busy[SLOTS];
};

static struct guest {
	int fd;
	pid_t child;
	struct link links[MACHINE_DEVICES][LINKS];
	uint32_t interrupts[MACHINE_DEVICES];
	uint32_t sectors[MACHINE_SECTORS]; /* number of the last write, plus 1 */
	uint8_t input_sent, input_got, output_sent, output_got, stream_sent, stream_got, data_got;
	uint32_t stream_total, forwarded, received;
	bool connected;
	uint64_t random;
	uint8_t file[MACHINE_FILE_BYTES];
	size_t length;
} guest;

static uint64_t slot_addr(uint32_t device, uint32_t queue, uint32_t slot)
{
	return DATA + ((uint64_t)(device * LINKS + queue) * SLOTS + slot) * SLOT;
}

static uint8_t *slot_host(uint32_t device, uint32_t queue, uint32_t slot)
{
	return ram + slot_addr(device, queue, slot);
}

static void start_child(void)
{
	int fds[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	guest.child = fork();
	MUST(guest.child >= 0);
	if (guest.child == 0) {
		close(fds[0]);
		be_host(fds[1], guest.file, guest.length);
	}
	close(fds[1]);
	guest.fd = fds[0];
	/*
	 * A new child counts its interrupts from 0. A restored device interrupts the guest even if
	 * its used rings have no new element.
	 */
	memset(guest.interrupts, 0, sizeof guest.interrupts);
}

static void end_child(void)
{
	int status;

	close(guest.fd);
	MUST(waitpid(guest.child, &status, 0) == guest.child);
	MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/*
 * Checks a completed write of one sector. The used length must be 1, and the status 0. In the
 * disk's image, the sector must begin with the request's number plus 1.
 */
static void check_disk(uint32_t queue, uint32_t number, uint32_t len)
{
	const uint8_t *request = slot_host(MACHINE_DISK, queue, number % SLOTS);
	const uint32_t sector = queue * SECTORS + number % SECTORS;

	MUST(len == 1 && request[16 + 256] == 0);
	MUST(virtio_get_le32(storage + (size_t)sector * 512) == number + 1);
	guest.sectors[sector] = number + 1;
}

static void check_console(uint32_t queue, uint32_t number, uint32_t len)
{
	const uint8_t *bytes = slot_host(MACHINE_CONSOLE, queue, number % SLOTS);

	for (uint32_t i = 0; i < len && queue == 0; i++)
		MUST(bytes[i] == guest.input_got++);
}

static void check_sockets(uint32_t queue, uint32_t number, uint32_t len)
{
	const uint8_t *bytes = slot_host(MACHINE_SOCKETS, queue, number % SLOTS);
	struct virtio_vsock_hdr header;

	if (queue == 1)
		return;
	virtio_vsock_header_from_raw(&header, bytes);
	MUST(len == VIRTIO_VSOCK_HEADER_BYTES + virtio_vsock_len(&header));
	MUST(virtio_vsock_op(&header) != VIRTIO_VSOCK_OP_RST);
	if (virtio_vsock_op(&header) == VIRTIO_VSOCK_OP_RESPONSE) {
		MUST(!guest.connected);
		guest.connected = true;
	}
	guest.forwarded = virtio_vsock_fwd_cnt(&header);
	for (uint32_t i = VIRTIO_VSOCK_HEADER_BYTES; i < len; i++)
		MUST(bytes[i] == guest.data_got++);
	guest.received += virtio_vsock_len(&header);
}

static void pop_used(uint32_t device, uint32_t queue)
{
	struct link *l = &guest.links[device][queue];
	struct vring_used_elem used;
	int got;

	do {
		while ((got = virtio_mock_pop_used(&mocks[device][queue], &used)) == 1) {
			const uint32_t number = l->number[used.id];

			MUST(l->busy[number % SLOTS]);
			l->busy[number % SLOTS] = false;
			l->returned++;
			if (device == MACHINE_DISK)
				check_disk(queue, number, used.len);
			else if (device == MACHINE_CONSOLE)
				check_console(queue, number, used.len);
			else
				check_sockets(queue, number, used.len);
		}
		MUST(got == 0);
		got = virtio_mock_enable_interrupts(&mocks[device][queue]);
	} while (got == 1);
}

/*
 * Sends an order to the child, and handles the reply. The guest reads its used rings only after an
 * interrupt.
 */
static void tell(const struct message *m)
{
	static struct answer a;

	put_all(guest.fd, m, sizeof *m);
	MUST(get_all(guest.fd, &a, sizeof a));
	for (uint32_t i = 0; i < a.output_bytes; i++)
		MUST(a.output[i] == guest.output_got++);
	for (uint32_t i = 0; i < a.stream_bytes; i++)
		MUST(a.stream[i] == guest.stream_got++);
	guest.input_sent = (uint8_t)(guest.input_sent + a.enqueued);
	for (uint32_t device = 0; device < MACHINE_DEVICES; device++) {
		if (a.interrupts[device] == guest.interrupts[device])
			continue;
		guest.interrupts[device] = a.interrupts[device];
		for (uint32_t queue = 0; queue < LINKS; queue++)
			pop_used(device, queue);
	}
	if (m->order == ORDER_SAVE)
		memcpy(guest.file, a.file, guest.length = a.file_bytes);
}

/*
 * Writes a request into guest memory, and describes its buffers. Returns the number of buffers, or
 * 0 if no request is possible now.
 */
static uint32_t fill(uint32_t device, uint32_t queue, uint32_t number, struct virtio_mock_buffer *buffers)
{
	const uint64_t addr = slot_addr(device, queue, number % SLOTS);
	uint8_t *bytes = slot_host(device, queue, number % SLOTS);
	const uint32_t n = 1 + random_below(&guest.random, 60);
	struct virtio_vsock_hdr header;

	buffers[0] = (struct virtio_mock_buffer){ addr, queue == 0 ? 150 : n, queue == 0 ? VRING_DESC_F_WRITE : 0 };
	if (device == MACHINE_DISK) {
		/* The 512 bytes of data are two buffers at the same address. */
		memset(bytes, 0, 16);
		virtio_put_le32(bytes, VIRTIO_BLK_T_OUT);
		virtio_put_le64(bytes + 8, queue * SECTORS + number % SECTORS);
		virtio_put_le32(bytes + 16, number + 1);
		buffers[0] = (struct virtio_mock_buffer){ addr, 16, 0 };
		buffers[1] = buffers[2] = (struct virtio_mock_buffer){ addr + 16, 256, 0 };
		bytes[16 + 256] = 0xff;
		buffers[3] = (struct virtio_mock_buffer){ addr + 16 + 256, 1, VRING_DESC_F_WRITE };
		return 4;
	}
	if (device == MACHINE_CONSOLE || queue == 0) {
		for (uint32_t i = 0; i < n && queue == 1; i++)
			bytes[i] = guest.output_sent++;
		return 1;
	}
	/*
	 * The guest sends one REQUEST first. Then the guest sends as much data as the host has room
	 * for.
	 */
	if (number > 0 && (!guest.connected || guest.stream_total - guest.forwarded + n > 4096))
		return 0;
	memset(&header, 0, sizeof header);
	virtio_vsock_set_src_cid(&header, MACHINE_GUEST_CID);
	virtio_vsock_set_dst_cid(&header, VIRTIO_VSOCK_CID_HOST);
	virtio_vsock_set_src_port(&header, 7);
	virtio_vsock_set_dst_port(&header, 8);
	virtio_vsock_set_type(&header, VIRTIO_VSOCK_TYPE_STREAM);
	virtio_vsock_set_op(&header, number ? VIRTIO_VSOCK_OP_RW : VIRTIO_VSOCK_OP_REQUEST);
	virtio_vsock_set_len(&header, number ? n : 0);
	virtio_vsock_set_buf_alloc(&header, 2000);
	virtio_vsock_set_fwd_cnt(&header, guest.received);
	virtio_vsock_header_to_raw(&header, bytes);
	buffers[0].len = VIRTIO_VSOCK_HEADER_BYTES + (number ? n : 0);
	for (uint32_t i = 0; i < n && number; i++)
		bytes[VIRTIO_VSOCK_HEADER_BYTES + i] = guest.stream_sent++;
	guest.stream_total += number ? n : 0;
	return 1;
}

static void add(uint32_t device, uint32_t queue)
{
	struct link *l = &guest.links[device][queue];
	struct virtio_mock *mock = &mocks[device][queue];
	struct virtio_mock_buffer buffers[4];
	const struct message kick = { .order = ORDER_KICK, .device = device, .queue = queue };
	uint32_t count;
	int head;

	if (l->added - l->returned >= (device == MACHINE_DISK ? 4 : DEPTH) || l->busy[l->added % SLOTS])
		return;
	count = fill(device, queue, l->added, buffers);
	if (count == 0)
		return;
	head = virtio_mock_add(mock, buffers, count);
	MUST(head >= 0);
	l->number[head] = l->added;
	l->busy[l->added++ % SLOTS] = true;
	if (virtio_mock_should_kick(mock) == 1)
		tell(&kick);
}

static void step(void)
{
	const uint32_t what = random_below(&guest.random, 10);
	struct message m = { .order = ORDER_WORK, .room = random_below(&guest.random, 100) };

	if (what < 6) {
		add(what / 2, what % 2);
		return;
	}
	m.number = 1 + random_below(&guest.random, 4);
	if (what == 6) {
		m.order = ORDER_INPUT;
		m.number = 1 + random_below(&guest.random, MACHINE_INPUT);
		m.first = guest.input_sent;
	}
	tell(&m);
}

static void move(void)
{
	tell(&(const struct message){ .order = ORDER_SAVE });
	end_child();
	start_child();
}

/* Runs until only buffers for input from the host are outstanding. */
static void drain(void)
{
	for (uint32_t i = 0; i < 400; i++)
		tell(&(const struct message){ .order = ORDER_WORK, .number = 20, .room = 1000 });
	for (uint32_t device = 0; device < MACHINE_DEVICES; device++)
		for (uint32_t queue = device == MACHINE_DISK ? 0 : 1; queue < LINKS; queue++)
			MUST(guest.links[device][queue].added == guest.links[device][queue].returned);
	MUST(guest.output_got == guest.output_sent && guest.stream_got == guest.stream_sent);
	for (uint32_t i = 0; i < MACHINE_SECTORS; i++)
		MUST(virtio_get_le32(storage + (size_t)i * 512) == guest.sectors[i]);
}

static uint32_t run_guest(uint32_t number)
{
	uint32_t requests = 0;

	memset(&guest, 0, sizeof guest);
	memset(ram, 0, MACHINE_RAM);
	memset(storage, 0, MACHINE_SECTORS * 512);
	guest.random = number;
	region = (struct virtio_region){ .addr = 0, .len = MACHINE_RAM, .host = ram };
	MUST(virtio_memory_map_init(&map, &region, 1) == 0);
	for (uint32_t device = 0; device < MACHINE_DEVICES; device++)
		for (uint32_t queue = 0; queue < LINKS; queue++) {
			struct virtio_mock *mock = &mocks[device][queue];

			MUST(virtio_mock_init(mock, &map, random_area(device, queue, VIRTIO_QUEUE_DESC),
					      MACHINE_QUEUE_SIZE, slots[device][queue], MACHINE_QUEUE_SIZE) == 0);
			mock->event_idx = true;
		}
	start_child();
	for (uint32_t i = 0; i <= MOVES; i++) {
		const uint32_t steps = i > 0 && i < MOVES && random_one_in(&guest.random, 3) ? 0 : STEPS;

		for (uint32_t k = 0; k < steps; k++)
			step();
		if (i < MOVES)
			move();
	}
	drain();
	end_child();
	for (uint32_t device = 0; device < MACHINE_DEVICES; device++)
		for (uint32_t queue = 0; queue < LINKS; queue++)
			requests += guest.links[device][queue].returned;
	return requests;
}

int main(void)
{
	const uint32_t guests = GUESTS * (long_factor() > 1 ? 50 : 1);
	const size_t bytes = MACHINE_RAM + MACHINE_SECTORS * 512;
	uint64_t requests = 0;
	FILE *file = tmpfile();

	MUST(file && ftruncate(fileno(file), (off_t)bytes) == 0);
	ram = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
	MUST(ram != MAP_FAILED);
	storage = ram + MACHINE_RAM;
	for (uint32_t i = 0; i < guests; i++)
		requests += run_guest(i);
	printf("%u guests moved %u times each: %llu requests\n", (unsigned int)guests, MOVES,
	       (unsigned long long)requests);
	MUST(requests > 30 * (uint64_t)guests);
	return 0;
}
