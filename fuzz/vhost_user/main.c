/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Fuzzes a session of the vhost-user daemon, with a device of two rings. The front end sends right
 * and wrong messages in any order. After each message the reply, the end of the session and the
 * running rings must match the model. At the end of an input no descriptor may be left open.
 */
#include "../common/fuzz.h"
#include "log.h"
#include "model.h"
#include "session.h"
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ring.h>
#include <virtio/features.h>

#define GUEST UINT64_C(0x40000000)
#define USER UINT64_C(0x7f0000000000)
#define HALF UINT64_C(0x8000)
#define CONFIG_BYTES 8u
#define BAD_FEATURE 1 /* a feature that the device offers, and refuses later */
#define MOST_STEPS 64
#define MOST_FDS 256

/* Drops the daemon's messages for an operator. */
void log_line(const char *format, ...)
{
	(void)format;
}

/* The device */

static struct {
	struct device device;
	struct device_host host;
	struct event_loop loop;
	bool running[MODEL_RINGS];
	uint8_t config[CONFIG_BYTES];
	bool over; /* the session has ended */
} fuzz;

static int check_features(struct device *device, uint64_t features)
{
	(void)device;
	return features & virtio_feature_mask(BAD_FEATURE) ? VIRTIO_EINVAL : 0;
}

static void config_read(struct device *device, uint32_t offset, void *data, uint32_t len)
{
	(void)device;
	memcpy(data, fuzz.config + offset, len);
}

static int config_write(struct device *device, uint32_t offset, const void *data, uint32_t len)
{
	(void)device;
	memcpy(fuzz.config + offset, data, len);
	return 0;
}

static int queue_start(struct device *device, struct device_queue *queue)
{
	(void)device;
	FUZZ_CHECK(!fuzz.running[queue->index], "ring %u starts twice", queue->index);
	fuzz.running[queue->index] = true;
	return 0;
}

static int queue_notify(struct device *device, struct device_queue *queue, unsigned int budget)
{
	(void)device;
	(void)budget;
	FUZZ_CHECK(fuzz.running[queue->index], "ring %u is served, but does not run", queue->index);
	return DEVICE_TURN_WAIT;
}

static void queue_stop(struct device *device, struct device_queue *queue)
{
	(void)device;
	FUZZ_CHECK(fuzz.running[queue->index], "ring %u stops twice", queue->index);
	fuzz.running[queue->index] = false;
}

static const struct device_ops ops = {
	.check_features = check_features,
	.config_read = config_read,
	.config_write = config_write,
	.queue_start = queue_start,
	.queue_notify = queue_notify,
	.queue_stop = queue_stop,
};

static void on_tell(struct device_host *host)
{
	(void)host;
}

static void on_end(struct session *session)
{
	(void)session;
	fuzz.over = true;
}

static void open_once(void)
{
	static bool open;

	if (open)
		return;
	open = true;
	fuzz.device = (struct device){
		.ops = &ops,
		.name = "fuzz",
		.features = virtio_feature_mask(0) | virtio_feature_mask(BAD_FEATURE),
		.config_size = CONFIG_BYTES,
		.queue_count = MODEL_RINGS,
		.max_queue_size = MODEL_MAX_SIZE,
		.threads = DEVICE_ONE_THREAD,
	};
	if (shared_memory_guard() || worker_init() || event_loop_open(&fuzz.loop) ||
	    device_host_open(&fuzz.host, &fuzz.device, &fuzz.loop, on_tell, false))
		abort();
}

/* A front end */

struct peer {
	struct session *session;
	struct model model;
	struct fuzz_input *in;
	int socket, memory, event, kick;
	bool ask;
};

static void send_message(struct peer *peer, uint32_t request, uint32_t flags, uint32_t size, const void *payload,
			 uint32_t bytes, const int *fds, unsigned int fd_count)
{
	const struct vhost_user_header header = { request, flags, size };
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(64 * sizeof(int))];
	} control = { .space = { 0 } };
	struct iovec iov[2] = { { (void *)(uintptr_t)&header, sizeof header }, { (void *)(uintptr_t)payload, bytes } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	if (fd_count > 0) {
		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(&control.align), fds, fd_count * sizeof(int));
	}
	if (sendmsg(peer->socket, &msg, MSG_NOSIGNAL) != (ssize_t)(sizeof header + bytes))
		abort();
	peer->session->socket.ready(&peer->session->socket);
}

/* Returns the size of the reply's payload, or -1 if there is no reply. */
static int receive(struct peer *peer, uint32_t request, void *payload, uint32_t size)
{
	struct vhost_user_header header;

	if (recv(peer->socket, &header, sizeof header, MSG_DONTWAIT) != sizeof header)
		return -1;
	FUZZ_CHECK(header.request == request && header.flags == 5 && header.size <= size,
		   "the reply to request %u has request %u, flags %u, size %u", request, header.request, header.flags,
		   header.size);
	return header.size == 0 ? 0 : (int)recv(peer->socket, payload, header.size, MSG_DONTWAIT);
}

/*
 * Sends a request that has no reply except an acknowledgement. Checks the outcome. If an
 * acknowledgement was not requested, a refusal ends the session unless @harmless is true.
 */
static void tell(struct peer *peer, uint32_t request, const void *payload, uint32_t size, const int *fds,
		 unsigned int fd_count, enum model_outcome outcome, bool harmless)
{
	const bool over = outcome == MODEL_OVER || (outcome == MODEL_REFUSED && !peer->ask && !harmless);
	uint64_t ack = 77;
	int got;

	send_message(peer, request, peer->ask ? 9 : 1, size, payload, size, fds, fd_count);
	got = receive(peer, request, &ack, sizeof ack);
	FUZZ_CHECK(fuzz.over == over, "after request %u the session has ended: %d, the model says %d", request,
		   fuzz.over, over);
	if (peer->ask && outcome != MODEL_OVER)
		FUZZ_CHECK(got == 8 && ack == (outcome == MODEL_DONE ? 0 : 1),
			   "wrong reply to request %u: %d bytes, value %d", request, got, (int)ack);
	else
		FUZZ_CHECK(got == -1, "request %u has a reply, but must have none", request);
}

static void tell_u64(struct peer *peer, uint32_t request, uint64_t value, enum model_outcome outcome)
{
	tell(peer, request, &value, sizeof value, NULL, 0, outcome, false);
}

static void tell_state(struct peer *peer, uint32_t request, uint32_t ring, uint32_t num, enum model_outcome outcome)
{
	const struct vhost_user_vring_state state = { ring, num };

	tell(peer, request, &state, sizeof state, NULL, 0, outcome, false);
}

/* Steps */

static void step_get(struct peer *peer, unsigned int ring __attribute__((unused)))
{
	static const uint32_t requests[] = { VHOST_USER_GET_FEATURES, VHOST_USER_GET_PROTOCOL_FEATURES,
					     VHOST_USER_GET_QUEUE_NUM };
	const unsigned int which = fuzz_u8(peer->in) % 3;
	const uint64_t protocol = virtio_feature_mask(VHOST_USER_PROTOCOL_F_MQ) |
				  virtio_feature_mask(VHOST_USER_PROTOCOL_F_REPLY_ACK) |
				  virtio_feature_mask(VHOST_USER_PROTOCOL_F_BACKEND_REQ) |
				  virtio_feature_mask(VHOST_USER_PROTOCOL_F_CONFIG);
	const uint64_t expected[] = { virtio_feature_mask(0) | virtio_feature_mask(BAD_FEATURE) |
					      virtio_feature_mask(VIRTIO_F_VERSION_1) |
					      virtio_feature_mask(VIRTIO_RING_F_EVENT_IDX) |
					      virtio_feature_mask(VIRTIO_RING_F_INDIRECT_DESC) |
					      virtio_feature_mask(VHOST_USER_F_PROTOCOL_FEATURES),
				      protocol, MODEL_RINGS };
	uint64_t value = 0;

	send_message(peer, requests[which], peer->ask ? 9 : 1, 0, NULL, 0, &peer->memory, peer->ask);
	FUZZ_CHECK(receive(peer, requests[which], &value, sizeof value) == 8 && value == expected[which],
		   "wrong reply to request %u: value 0x%llx", requests[which], (unsigned long long)value);
}

static void step_features(struct peer *peer, unsigned int ring __attribute__((unused)))
{
	const unsigned int bits = fuzz_u8(peer->in) % 64;
	const struct model_features features = {
		.version_1 = bits & 1, .protocol = bits & 2, .bad = bits & 4, .id = bits & 31
	};
	uint64_t mask = 0;

	mask |= bits & 1 ? virtio_feature_mask(VIRTIO_F_VERSION_1) : 0;
	mask |= bits & 2 ? virtio_feature_mask(VHOST_USER_F_PROTOCOL_FEATURES) : 0;
	mask |= bits & 4 ? virtio_feature_mask(BAD_FEATURE) : 0;
	mask |= bits & 8 ? virtio_feature_mask(VIRTIO_RING_F_EVENT_IDX) : 0;
	mask |= bits & 16 ? virtio_feature_mask(VIRTIO_RING_F_INDIRECT_DESC) : 0;
	mask |= bits & 32 ? virtio_feature_mask(VIRTIO_F_RING_PACKED) : 0;
	tell_u64(peer, VHOST_USER_SET_FEATURES, mask,
		 bits & 32 ? MODEL_REFUSED : model_features(&peer->model, &features));
}

static void step_owner(struct peer *peer, unsigned int ring __attribute__((unused)))
{
	const bool reset = fuzz_u8(peer->in) % 2;

	if (reset)
		for (unsigned int i = 0; i < MODEL_RINGS; i++)
			(void)model_disconnect(&peer->model, i);
	tell(peer, reset ? VHOST_USER_RESET_OWNER : VHOST_USER_SET_OWNER, NULL, 0, NULL, 0, MODEL_DONE, false);
}

/*
 * Sends a memory table. Right tables have both halves of memory, one half or no region. Wrong
 * tables have too many regions, a wrong number of descriptors, a region beyond the end of the file,
 * or too short a message.
 */
static void step_memory(struct peer *peer, unsigned int ring __attribute__((unused)))
{
	static const struct {
		uint32_t count;
		unsigned int fds, room;
		uint64_t length;
		enum model_memory memory; /* MEMORY_NONE for a table that must be refused */
	} tables[] = {
		{ 2, 2, 2, HALF, MEMORY_BOTH },     { 1, 1, 1, HALF, MEMORY_FIRST },
		{ 0, 0, 0, HALF, MEMORY_EMPTY },    { 1, 1, 1, HALF + 5, MEMORY_FIRST },
		{ 33, 2, 33, HALF, MEMORY_NONE },   { 2, 1, 2, HALF, MEMORY_NONE },
		{ 2, 40, 2, HALF, MEMORY_NONE },    { 2, 2, 1, HALF, MEMORY_NONE },
		{ 1, 1, 1, 4 * HALF, MEMORY_NONE }, { 2, 2, 5, HALF, MEMORY_BOTH },
	};
	const unsigned int which = fuzz_u8(peer->in) % (sizeof tables / sizeof *tables);
	uint8_t payload[8 + 33 * sizeof(struct vhost_user_region)] = { 0 };
	int fds[64];

	for (unsigned int i = 0; i < 64; i++)
		fds[i] = peer->memory;
	memcpy(payload, &tables[which].count, sizeof tables[which].count);
	for (uint64_t i = 0; i < 2; i++) {
		const struct vhost_user_region region = { GUEST + i * HALF, tables[which].length, USER + 2 * i * HALF,
							  i * HALF };

		memcpy(payload + 8 + i * sizeof region, &region, sizeof region);
	}
	tell(peer, VHOST_USER_SET_MEM_TABLE, payload,
	     (uint32_t)(8 + tables[which].room * sizeof(struct vhost_user_region)), fds, tables[which].fds,
	     tables[which].memory == MEMORY_NONE ? MODEL_REFUSED : model_memory(&peer->model, tables[which].memory),
	     false);
}

static void step_size(struct peer *peer, unsigned int ring)
{
	const unsigned int byte = fuzz_u8(peer->in);
	const uint32_t size = (UINT32_C(2) << byte % 9) + (byte & 0x80 ? 1 : 0);
	const bool good = ring < MODEL_RINGS && !(byte & 0x80) && size <= MODEL_MAX_SIZE;

	tell_state(peer, VHOST_USER_SET_VRING_NUM, ring, size,
		   good ? model_size(&peer->model, ring, size) : MODEL_REFUSED);
}

static void step_addr(struct peer *peer, unsigned int ring)
{
	const unsigned int byte = fuzz_u8(peer->in);
	const int place = 1 + byte % 2;
	/* The two regions are not adjacent in the front end's address space. */
	const uint64_t at = USER + (uint64_t)(place - 1) * 2 * HALF + (ring % MODEL_RINGS) * 0x4000;
	struct vhost_user_vring_addr addr = { ring, 0, at, at + 0x2000, at + 0x1000, 0 };
	bool good = ring < MODEL_RINGS;

	switch (byte >> 6) {
	case 1:
		addr.flags = 1;
		good = false;
		break;
	case 2:
		addr.used += 2;
		good = false;
		break;
	default:
		break;
	}
	tell(peer, VHOST_USER_SET_VRING_ADDR, &addr, sizeof addr, NULL, 0,
	     good ? model_place(&peer->model, ring, place) : MODEL_REFUSED, false);
}

static void step_base(struct peer *peer, unsigned int ring)
{
	static const uint32_t bases[] = { 0, 65535, 65536 };
	const uint32_t base = bases[fuzz_u8(peer->in) % 3];

	tell_state(peer, VHOST_USER_SET_VRING_BASE, ring, base,
		   ring < MODEL_RINGS && base < 65536 ? model_base(&peer->model, ring, base) : MODEL_REFUSED);
}

static void step_get_base(struct peer *peer, unsigned int ring)
{
	struct vhost_user_vring_state state = { ring, 77 };
	int got;

	send_message(peer, VHOST_USER_GET_VRING_BASE, peer->ask ? 9 : 1, sizeof state, &state, sizeof state, NULL, 0);
	got = receive(peer, VHOST_USER_GET_VRING_BASE, &state, sizeof state);
	FUZZ_CHECK(fuzz.over == (ring >= MODEL_RINGS), "after GET_VRING_BASE of ring %u the session has ended: %d",
		   ring, fuzz.over);
	if (fuzz.over)
		return;
	FUZZ_CHECK(got == sizeof state && state.index == ring && state.num == model_disconnect(&peer->model, ring),
		   "wrong base of ring %u: %u", ring, state.num);
}

/*
 * Sends a message with one of four kinds of descriptor. Kind 0 is an eventfd. Kind 1 is the flag
 * NO_FD without a descriptor. Kind 2 is the flag with a descriptor. Kind 3 is a file that is no
 * eventfd.
 */
static void tell_fd(struct peer *peer, unsigned int ring, uint32_t request, int fd)
{
	const unsigned int kind = fuzz_u8(peer->in) % 4;
	const uint64_t value = ring | (kind == 1 || kind == 2 ? VHOST_USER_VRING_NO_FD : 0);
	enum model_outcome outcome = ring < MODEL_RINGS && kind < 2 ? MODEL_DONE : MODEL_REFUSED;

	if (outcome == MODEL_DONE && request == VHOST_USER_SET_VRING_KICK)
		outcome = model_kick(&peer->model, ring);
	if (kind == 3)
		fd = peer->memory;
	tell(peer, request, &value, sizeof value, &fd, kind != 1, outcome, false);
}

static void step_enable(struct peer *peer, unsigned int ring)
{
	const unsigned int num = fuzz_u8(peer->in) % 3;

	tell_state(peer, VHOST_USER_SET_VRING_ENABLE, ring, num,
		   ring < MODEL_RINGS && num < 2 ? model_enable(&peer->model, ring, num) : MODEL_REFUSED);
}

static void step_get_config(struct peer *peer, unsigned int ring __attribute__((unused)))
{
	const uint32_t offset = fuzz_u8(peer->in), base = fuzz_u8(peer->in) % 2 * VHOST_USER_CONFIG_BASE;
	const uint32_t size = fuzz_u8(peer->in), room = fuzz_u8(peer->in), len = size > room ? size : room;
	const uint32_t header = offsetof(struct vhost_user_config, data);
	static struct vhost_user_config config, got;

	config = (struct vhost_user_config){ .offset = base + offset, .size = size };
	memset(&got, 0xee, sizeof got);
	send_message(peer, VHOST_USER_GET_CONFIG, peer->ask ? 9 : 1, header + room, &config, header + room, NULL, 0);
	FUZZ_CHECK(receive(peer, VHOST_USER_GET_CONFIG, &got, sizeof got) == (int)(header + len),
		   "the reply to GET_CONFIG is missing or has a wrong size");
	FUZZ_CHECK(got.offset == base + offset && got.size == size, "the reply to GET_CONFIG has %u bytes at %u",
		   got.size, got.offset);
	for (uint32_t i = 0; i < len; i++)
		FUZZ_CHECK(got.data[i] == (i < size && offset + i < CONFIG_BYTES ? fuzz.config[offset + i] : 0),
			   "byte %u in the reply to GET_CONFIG is wrong", i);
}

static void step_set_config(struct peer *peer, unsigned int ring __attribute__((unused)))
{
	const uint32_t offset = fuzz_u8(peer->in) % 12, base = fuzz_u8(peer->in) % 2 * VHOST_USER_CONFIG_BASE;
	const uint32_t size = fuzz_u8(peer->in) % 12, room = fuzz_u8(peer->in) % 16, flags = fuzz_u8(peer->in) % 3;
	const uint32_t header = offsetof(struct vhost_user_config, data);
	static struct vhost_user_config config;
	enum model_outcome outcome = size > room ? MODEL_REFUSED : model_apply(&peer->model);
	uint8_t expected[CONFIG_BYTES];

	config = (struct vhost_user_config){ .offset = base + offset, .size = size, .flags = flags };
	memcpy(expected, fuzz.config, sizeof expected);
	if (outcome == MODEL_DONE && (flags > 1 || offset + size > CONFIG_BYTES))
		outcome = MODEL_REFUSED;
	for (uint32_t i = 0; i < room; i++)
		config.data[i] = fuzz_u8(peer->in);
	if (outcome == MODEL_DONE && size > 0)
		memcpy(expected + offset, config.data, size);
	tell(peer, VHOST_USER_SET_CONFIG, &config, header + room, NULL, 0, outcome, true);
	FUZZ_CHECK(memcmp(expected, fuzz.config, sizeof expected) == 0,
		   "the configuration space is wrong after SET_CONFIG");
}

static void step_unknown(struct peer *peer, unsigned int ring __attribute__((unused)))
{
	const uint8_t number = fuzz_u8(peer->in);
	static const uint8_t zeroes[64];

	tell(peer, number < 128 ? 26u + number % 64 : 0x10000u + number, zeroes, number % 64, &peer->memory, number & 1,
	     MODEL_REFUSED, true);
}

/*
 * Sends a header with a bad version, flag or size. The session must end, because the front end
 * breaks the protocol.
 */
static void step_header(struct peer *peer, unsigned int ring __attribute__((unused)))
{
	static const uint32_t flags[] = { 0, 2, 3, 5, 0x11, 0x80000001u };
	static const uint32_t sizes[] = { 4097, 0x10000, UINT32_MAX };
	const unsigned int which = fuzz_u8(peer->in) % 10;
	char byte;

	if (which < 6)
		send_message(peer, VHOST_USER_SET_OWNER, flags[which], 0, NULL, 0, NULL, 0);
	else if (which < 9)
		send_message(peer, VHOST_USER_SET_FEATURES, 1, sizes[which - 6], NULL, 0, NULL, 0);
	else
		send_message(peer, VHOST_USER_SET_FEATURES, 9, 7, "0123456", 7, NULL, 0);
	FUZZ_CHECK(fuzz.over, "bad header %u is accepted", which);
	FUZZ_CHECK(recv(peer->socket, &byte, 1, MSG_DONTWAIT) <= 0, "bad header %u has a reply", which);
}

static void step_kick(struct peer *peer, unsigned int ring)
{
	tell_fd(peer, ring, VHOST_USER_SET_VRING_KICK, peer->kick);
}

static void step_call(struct peer *peer, unsigned int ring)
{
	tell_fd(peer, ring, VHOST_USER_SET_VRING_CALL, peer->event);
}

static void step(struct peer *peer)
{
	static void (*const steps[STEPS])(struct peer * peer, unsigned int ring) = {
		[STEP_GET] = step_get,
		[STEP_FEATURES] = step_features,
		[STEP_OWNER] = step_owner,
		[STEP_MEMORY] = step_memory,
		[STEP_SIZE] = step_size,
		[STEP_ADDR] = step_addr,
		[STEP_BASE] = step_base,
		[STEP_GET_BASE] = step_get_base,
		[STEP_KICK] = step_kick,
		[STEP_CALL] = step_call,
		[STEP_ENABLE] = step_enable,
		[STEP_GET_CONFIG] = step_get_config,
		[STEP_SET_CONFIG] = step_set_config,
		[STEP_UNKNOWN] = step_unknown,
		[STEP_HEADER] = step_header,
	};
	const uint8_t byte = fuzz_u8(peer->in);

	peer->ask = byte & ASK;
	steps[(byte & 15) % STEPS](peer, byte >> 4 & 3);
}

static unsigned int open_fds(void)
{
	unsigned int count = 0;

	for (int fd = 0; fd < MOST_FDS; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void open_peer(struct peer *peer, struct fuzz_input *in)
{
	int ends[2];

	*peer = (struct peer){ .in = in };
	model_init(&peer->model);
	peer->memory = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	peer->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	peer->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (peer->memory < 0 || ftruncate(peer->memory, 2 * (off_t)HALF) || peer->event < 0 || peer->kick < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends))
		abort();
	peer->socket = ends[0];
	fuzz.over = false;
	memset(fuzz.config, 0, sizeof fuzz.config);
	peer->session = session_open(&fuzz.loop, &fuzz.host, ends[1]);
	if (!peer->session)
		abort();
	peer->session->ended = on_end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct peer peer;
	unsigned int before;

	open_once();
	before = open_fds();
	open_peer(&peer, &in);
	for (unsigned int i = 0; i < MOST_STEPS && in.left > 0 && !fuzz.over; i++) {
		step(&peer);
		for (unsigned int n = 0; n < MODEL_RINGS; n++)
			FUZZ_CHECK(fuzz.over || fuzz.running[n] == peer.model.rings[n].running,
				   "ring %u runs: %d, the model says %d", n, fuzz.running[n],
				   peer.model.rings[n].running);
	}
	session_close(peer.session);
	for (unsigned int n = 0; n < MODEL_RINGS; n++)
		FUZZ_CHECK(!fuzz.running[n], "ring %u runs after its session has ended", n);
	close(peer.socket);
	close(peer.memory);
	close(peer.event);
	close(peer.kick);
	FUZZ_CHECK(open_fds() == before, "a file descriptor is left open");
	return 0;
}
