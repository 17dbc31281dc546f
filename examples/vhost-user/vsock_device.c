/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The socket device: connections between a guest's sockets and Unix sockets of the host.
 * vsock_device.h lists the parts.
 *
 * A guest can open as many connections as the device allows, and fill each connection's buffer. A
 * program of the host can open as many connections, and never read. Neither the guest nor the
 * program can stop another connection. The memory of a connection and the number of connections are
 * bounded.
 *
 * virtio 1.4, 5.10
 */
#include "vsock_device.h"

#include "options.h"
#include "vsock_group.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define DEFAULT_CONNECTIONS 2048u
#define DEFAULT_BUFFER 262144u
#define REPLIES 256u
#define FIRST_PORT 0x40000000u
#define LAST_PORT 0x7fffffffu
/*
 * The cost of a packet for a guest, without the payload. Linux from 6.12.92 resets a connection
 * whose packets cost more than its buffer. On most machines Linux charges 576 bytes for each
 * packet. Machines with long cache lines charge more.
 */
#define PACKET_OVERHEAD 768u
#define PORT_DIGITS 11u /* length of "_4294967295" */

/* Time */

uint64_t vsock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * VSOCK_SECOND + (uint64_t)now.tv_nsec;
}

static void earlier(uint64_t *deadline, uint64_t other)
{
	if (other < *deadline)
		*deadline = other;
}

static void earlier_of(const struct vsock_device *vsock, enum vsock_stage stage, uint64_t interval, uint64_t *deadline)
{
	const struct vsock_stream *first = TAILQ_FIRST(&vsock->lists[stage]);

	if (first)
		earlier(deadline, first->since + interval);
}

static bool waits_for_descriptors(const struct vsock_device *vsock)
{
	return vsock->listeners[0].paused || vsock->listeners[1].paused;
}

static uint64_t next_deadline(const struct vsock_device *vsock, uint64_t now)
{
	uint64_t deadline = virtio_vsock_table_deadline(&vsock->table);

	earlier_of(vsock, VSOCK_STAGE_LINE, VSOCK_LINE_TIME, &deadline);
	earlier_of(vsock, VSOCK_STAGE_DRIVER, VSOCK_DRIVER_TIME, &deadline);
	earlier_of(vsock, VSOCK_STAGE_LINGER, VSOCK_LINGER_TIME, &deadline);
	earlier(&deadline, vsock->hold_until);
	if (!TAILQ_EMPTY(&vsock->lists[VSOCK_STAGE_DIALLING]) || waits_for_descriptors(vsock))
		earlier(&deadline, now + VSOCK_RETRY_TIME);
	return deadline;
}

void vsock_arm(struct vsock_device *vsock)
{
	const uint64_t now = vsock_now(), deadline = next_deadline(vsock, now);

	/*
	 * A timer that expires too early does no harm, because it is then set for the next
	 * deadline.
	 */
	if (!vsock->opened || deadline >= vsock->armed)
		return;
	vsock->armed = deadline;
	event_timer_set(&vsock->timer, deadline > now ? deadline - now : 1);
}

static void end_stage(struct vsock_device *vsock, enum vsock_stage stage, uint64_t interval, uint64_t now)
{
	struct vsock_stream *s;

	while ((s = TAILQ_FIRST(&vsock->lists[stage])) && s->since + interval <= now) {
		vsock->counts.refused += stage != VSOCK_STAGE_LINGER;
		vsock_stream_close(s);
	}
}

/*
 * Tries again to connect the streams in VSOCK_STAGE_DIALLING. A stream that must wait longer stays
 * in this stage.
 */
static void dial_again(struct vsock_device *vsock)
{
	struct vsock_stream *s = TAILQ_FIRST(&vsock->lists[VSOCK_STAGE_DIALLING]), *next;

	for (; s; s = next) {
		next = TAILQ_NEXT(s, in_stage);
		(void)vsock_clients_dial(s);
	}
}

static void expire_connections(struct vsock_device *vsock, uint64_t now)
{
	struct virtio_vsock_connection *c;
	struct vsock_stream *s = TAILQ_FIRST(&vsock->lists[VSOCK_STAGE_OPEN]), *next;

	/*
	 * Resets connections whose guest waits for the rest of a record, and never grants credit
	 * for the rest.
	 */
	for (; s; s = next) {
		next = TAILQ_NEXT(s, in_stage);
		vsock_stream_check(s);
	}
	while (virtio_vsock_table_expire(&vsock->table, now, &c) == 1) {
		s = c->user;
		vsock->counts.refused += s->stage != VSOCK_STAGE_OPEN;
		vsock_stream_let_go(s);
	}
}

static void on_time(struct event_timer *timer)
{
	struct vsock_device *vsock = CONTAINER_OF(timer, struct vsock_device, timer);
	const uint64_t now = vsock_now();

	vsock->armed = UINT64_MAX;
	end_stage(vsock, VSOCK_STAGE_LINE, VSOCK_LINE_TIME, now);
	end_stage(vsock, VSOCK_STAGE_DRIVER, VSOCK_DRIVER_TIME, now);
	end_stage(vsock, VSOCK_STAGE_LINGER, VSOCK_LINGER_TIME, now);
	if (virtio_vsock_table_deadline(&vsock->table) <= now)
		expire_connections(vsock, now);
	dial_again(vsock);
	vsock_clients_resume(vsock);
	if (vsock->hold_until <= now) {
		vsock->hold_until = UINT64_MAX;
		virtio_vsock_table_hold(&vsock->table, false);
	}
	vsock_pay(vsock);
	vsock_arm(vsock);
}

/* The driver */

void vsock_wake(struct vsock_device *vsock, enum virtio_vsock_queue queue)
{
	if (vsock->running[queue])
		device_queue_wake(vsock->running[queue]);
}

void vsock_pay(struct vsock_device *vsock)
{
	if (virtio_vsock_table_pending(&vsock->table))
		vsock_wake(vsock, VIRTIO_VSOCK_QUEUE_RX);
}

bool vsock_is_up(const struct vsock_device *vsock)
{
	return vsock->running[VIRTIO_VSOCK_QUEUE_RX] && vsock->running[VIRTIO_VSOCK_QUEUE_TX];
}

/* Separates all streams from their connections. Data that the guest has sent is still delivered. */
static void let_go_of_all(struct vsock_device *vsock)
{
	struct vsock_stream *s, *next;

	for (int stage = 0; stage < VSOCK_STAGES; stage++) {
		for (s = TAILQ_FIRST(&vsock->lists[stage]); s; s = next) {
			next = TAILQ_NEXT(s, in_stage);
			if (s->connection)
				vsock_stream_let_go(s);
		}
	}
}

/*
 * Called when the receive and transmit queues run. A new driver starts with indices of 0, and has
 * no connections. A driver that continues with a new front end may have lost connections. Such a
 * driver gets the RSTs that vsock_end_connections() has made pending. If the front end passes the
 * event queue to the daemon, the driver also gets a transport reset. REQUESTs to the guest wait
 * until the event queue has started, and the driver has handled the transport reset. If the event
 * queue does not start, REQUESTs wait for VSOCK_HOLD_TIME.
 */
static void on_up(struct vsock_device *vsock)
{
	const bool begins = device_queue_is_new(vsock->running[VIRTIO_VSOCK_QUEUE_RX]) &&
			    device_queue_is_new(vsock->running[VIRTIO_VSOCK_QUEUE_TX]);

	if (begins) {
		let_go_of_all(vsock);
		virtio_vsock_table_clear(&vsock->table);
		virtio_vsock_events_reset(&vsock->events);
		vsock->hold_until = UINT64_MAX;
		vsock->resumed = false;
	} else if (vsock->new_front_end) {
		vsock->resumed = true;
		virtio_vsock_table_hold(&vsock->table, true);
		vsock->hold_until = vsock_now() + VSOCK_HOLD_TIME;
	}
	vsock->new_front_end = false;
	vsock_clients_connect(vsock);
	vsock_wake(vsock, VIRTIO_VSOCK_QUEUE_RX);
	vsock_wake(vsock, VIRTIO_VSOCK_QUEUE_TX);
	vsock_arm(vsock);
}

/* Begins to send the transport reset when a driver that continues has an event queue. */
static void tell_resumed(struct vsock_device *vsock)
{
	if (!vsock->running[VIRTIO_VSOCK_QUEUE_EVENT])
		return;
	if (vsock->resumed)
		virtio_vsock_events_schedule_reset(&vsock->events);
	vsock->resumed = false;
	if (!vsock->events.unsent && !vsock->events.waiting)
		return;
	vsock->hold_until = UINT64_MAX;
	virtio_vsock_table_hold(&vsock->table, true);
	vsock_wake(vsock, VIRTIO_VSOCK_QUEUE_EVENT);
}

static int queue_start(struct device *device, struct device_queue *queue)
{
	struct vsock_device *vsock = vsock_from_device(device);

	vsock->running[queue->index] = queue;
	if (queue->index != VIRTIO_VSOCK_QUEUE_EVENT && vsock_is_up(vsock))
		on_up(vsock);
	tell_resumed(vsock);
	return 0;
}

static void queue_stop(struct device *device, struct device_queue *queue)
{
	struct vsock_device *vsock = vsock_from_device(device);

	vsock->running[queue->index] = NULL;
	/*
	 * A stop keeps a transport reset that is not sent yet, because a paused driver may
	 * continue. REQUESTs to the guest wait for the reset, but at most VSOCK_HOLD_TIME after the
	 * event queue has stopped.
	 */
	if (queue->index == VIRTIO_VSOCK_QUEUE_EVENT && vsock->table.held)
		vsock->hold_until = vsock_now() + VSOCK_HOLD_TIME;
	vsock_arm(vsock);
}

static void attached(struct device *device)
{
	vsock_from_device(device)->new_front_end = true;
}

void vsock_end_connections(struct vsock_device *vsock)
{
	let_go_of_all(vsock);
	virtio_vsock_table_reset_all(&vsock->table);
	virtio_vsock_table_hold(&vsock->table, false);
	virtio_vsock_events_reset(&vsock->events);
	vsock->hold_until = UINT64_MAX;
	vsock->resumed = false;
}

static void detached(struct device *device)
{
	vsock_end_connections(vsock_from_device(device));
}

static void reset(struct device *device)
{
	virtio_vsock_reset(&vsock_from_device(device)->vsock);
}

static int check_features(struct device *device, uint64_t features)
{
	return virtio_vsock_negotiate(&vsock_from_device(device)->vsock, features);
}

static void config_read(struct device *device, uint32_t offset, void *data, uint32_t len)
{
	virtio_vsock_config_read(&vsock_from_device(device)->vsock, offset, data, len);
}

/* Life cycle */

static int open_sockets(struct device *device, struct event_loop *loop)
{
	struct vsock_device *vsock = vsock_from_device(device);

	vsock->loop = loop;
	vsock->armed = UINT64_MAX;
	if (event_timer_open(&vsock->timer, loop, on_time)) {
		fprintf(stderr, "%s: %s\n", device->name, strerror(errno));
		return -1;
	}
	if (vsock_clients_open(vsock)) {
		event_timer_close(&vsock->timer);
		return -1;
	}
	if (vsock->group && vsock_group_open(vsock->group, loop)) {
		fprintf(stderr, "%s: %s\n", device->name, strerror(errno));
		vsock_clients_close(vsock);
		event_timer_close(&vsock->timer);
		return -1;
	}
	vsock->opened = true;
	return 0;
}

static void close_sockets(struct device *device)
{
	struct vsock_device *vsock = vsock_from_device(device);
	struct vsock_stream *s;

	if (vsock->group)
		vsock_group_close(vsock->group);
	vsock_clients_close(vsock);
	for (int stage = 0; stage < VSOCK_STAGES; stage++)
		while ((s = TAILQ_FIRST(&vsock->lists[stage])))
			vsock_stream_close(s);
	vsock->opened = false;
	event_timer_close(&vsock->timer);
}

static void print_summary(const struct device *device)
{
	const struct vsock_device *vsock = (const struct vsock_device *)(const void *)device;
	const struct vsock_counts *n = &vsock->counts;

	printf("%s: %" PRIu64 " connections from the guest, %" PRIu64 " to it, %" PRIu64 " refused, %" PRIu64
	       " bytes from the guest, %" PRIu64 " to it, %" PRIu64 " records that can't be carried, %" PRIu64
	       " faults\n",
	       device->name, n->from_guest, n->to_guest, n->refused, n->bytes_from_guest, n->bytes_to_guest, n->records,
	       n->faults + vsock->table.overruns + device->ring_faults);
}

static void destroy(struct device *device)
{
	struct vsock_device *vsock = vsock_from_device(device);

	if (vsock->group)
		vsock_group_leave(vsock->group);
	free(vsock->storage.connections);
	free(vsock->storage.buckets);
	free(vsock->storage.replies);
	free(vsock);
}

static const struct device_ops ops = {
	.open = open_sockets,
	.close = close_sockets,
	.reset = reset,
	.attached = attached,
	.detached = detached,
	.check_features = check_features,
	.config_read = config_read,
	.queue_start = queue_start,
	.queue_notify = vsock_queue_notify,
	.queue_stop = queue_stop,
	.save = vsock_save,
	.restore = vsock_restore,
	.print_summary = print_summary,
	.destroy = destroy,
};

/* Command line */

struct vsock_options {
	const char *socket, *path, *group;
	uint64_t cid, connections, buffer;
};

static int make_table(struct vsock_device *vsock)
{
	const struct virtio_vsock_options options = {
		.buf_alloc = vsock->buffer,
		.max_packets = vsock->buffer,
		.max_payload = VSOCK_MAX_PAYLOAD,
		.packet_overhead = PACKET_OVERHEAD,
		.connect_timeout = VSOCK_CONNECT_TIME,
		.close_timeout = VSOCK_CLOSE_TIME,
		.credit_retry = VSOCK_SECOND,
		.first_port = FIRST_PORT,
		.last_port = LAST_PORT,
	};
	struct virtio_vsock_table_storage *storage = &vsock->storage;
	/*
	 * A guest may still have connections of an earlier process, so the port numbers begin at a
	 * random port.
	 */
	struct virtio_vsock_table_state state;
	uint64_t seed[2];

	storage->connection_count = vsock->max_connections;
	storage->bucket_count = 1;
	while (storage->bucket_count < vsock->max_connections)
		storage->bucket_count *= 2;
	storage->reply_count = REPLIES;
	storage->connections = calloc(storage->connection_count, sizeof *storage->connections);
	storage->buckets = calloc(storage->bucket_count, sizeof(struct virtio_vsock_connection *));
	storage->replies = calloc(storage->reply_count, sizeof *storage->replies);
	if (!storage->connections || !storage->buckets || !storage->replies ||
	    getrandom(seed, sizeof seed, 0) != sizeof seed ||
	    getrandom(&state.next_port, sizeof state.next_port, 0) != sizeof state.next_port)
		return -1;
	state.next_port = FIRST_PORT | (state.next_port & (LAST_PORT - FIRST_PORT));
	if (virtio_vsock_table_init(&vsock->table, &vsock->vsock, &options, storage, seed))
		return -1;
	return virtio_vsock_table_restore(&vsock->table, &state);
}

static int fill_device(struct vsock_device *vsock, const struct vsock_options *options)
{
	for (int stage = 0; stage < VSOCK_STAGES; stage++)
		TAILQ_INIT(&vsock->lists[stage]);
	TAILQ_INIT(&vsock->ready);
	vsock->path = options->path;
	vsock->buffer = (uint32_t)options->buffer;
	vsock->max_connections = (uint32_t)options->connections;
	vsock->hold_until = UINT64_MAX;
	vsock->listeners[0].source.fd = vsock->listeners[1].source.fd = -1;
	virtio_vsock_events_reset(&vsock->events);
	if (virtio_vsock_init(&vsock->vsock, options->cid, true) || make_table(vsock) ||
	    virtio_vsock_packet_init(&vsock->tx, vsock->tx_segments, VSOCK_SEGMENTS, VSOCK_MAX_PAYLOAD) ||
	    virtio_vsock_packet_init(&vsock->rx, vsock->rx_segments, VSOCK_SEGMENTS, VSOCK_MAX_PAYLOAD))
		return -1;
	vsock->device = (struct device){
		.ops = &ops,
		.name = vsock->name,
		.features = virtio_vsock_offered(&vsock->vsock),
		.config_size = VIRTIO_VSOCK_CONFIG_BYTES,
		.queue_count = VSOCK_QUEUES,
		.max_queue_size = VIRTIO_QUEUE_MAX_SIZE,
		.threads = DEVICE_ONE_THREAD,
	};
	return 0;
}

static struct device *make_device(const struct vsock_options *options)
{
	static const char prefix[] = "vsock ";
	struct vsock_device *vsock = calloc(1, sizeof *vsock + sizeof prefix + strlen(options->socket));

	if (!vsock || fill_device(vsock, options)) {
		(void)option_error("--vsock", "out of memory");
		if (vsock)
			destroy(&vsock->device);
		return NULL;
	}
	sprintf(vsock->name, "%s%s", prefix, options->socket);
	if (options->group) {
		vsock->group = vsock_group_join(options->group, vsock, (uint32_t)options->cid);
		if (!vsock->group) {
			destroy(&vsock->device);
			return NULL;
		}
	}
	return &vsock->device;
}

static int take_number(const char *value, uint64_t min, uint64_t max, uint64_t *number, const char *why)
{
	return option_number(value, min, max, number) ? option_error(value, why) : 0;
}

static int take_option(void *context, const char *name, char *value)
{
	struct vsock_options *options = context;

	if (strcmp(name, "socket") == 0)
		options->socket = value;
	else if (strcmp(name, "uds") == 0)
		options->path = value;
	else if (strcmp(name, "group") == 0)
		options->group = value;
	else if (strcmp(name, "cid") == 0)
		return take_number(value, VIRTIO_VSOCK_CID_HOST + 1, UINT32_MAX - 1, &options->cid,
				   "a cid is a number from 3 to 4294967294");
	else if (strcmp(name, "connections") == 0)
		return take_number(value, 1, 65536, &options->connections, "connections are 1 to 65536");
	else if (strcmp(name, "buffer") == 0)
		return take_number(value, 4096, 16777216, &options->buffer, "a buffer has 4096 to 16777216 bytes");
	else
		return option_error(name, "unknown option of --vsock");
	return 0;
}

static int check_options(const struct vsock_options *options)
{
	char longest[256];

	if (!options->socket || !*options->socket)
		return option_error("--vsock", "no socket=PATH");
	if (!options->path || !*options->path)
		return option_error("--vsock", "no uds=PATH");
	if (options->cid == 0)
		return option_error("--vsock", "no cid=N");
	if (options->group && !*options->group)
		return option_error("--vsock", "group= needs a name");
	snprintf(longest, sizeof longest, "%s%.*s", options->path, (int)PORT_DIGITS, "_4294967295");
	if (strlen(options->path) > sizeof longest / 2 || !unix_listener_fits(longest))
		return option_error(options->path, "too long for the path of a socket with a port after it");
	return 0;
}

static struct device *create(char *spec, const char **socket)
{
	struct vsock_options options = { .connections = DEFAULT_CONNECTIONS, .buffer = DEFAULT_BUFFER };

	if (options_parse_pairs(spec, take_option, &options) || check_options(&options))
		return NULL;
	*socket = options.socket;
	return make_device(&options);
}

static void print_help(void)
{
	fputs("  --vsock ...      sockets between the guest and the host (AF_VSOCK in the guest)\n"
	      "      socket=PATH    as above\n"
	      "      cid=N          the guest's context ID, from 3 on\n"
	      "      uds=PATH       where the host's sockets are. A guest that connects to port P of\n"
	      "                     context ID 2 reaches the listener at PATH_P. A program that\n"
	      "                     connects to PATH and sends the line CONNECT P reaches port P of\n"
	      "                     the guest. The program reads the line OK Q, where Q is its own\n"
	      "                     port; if the guest refuses, the socket is closed. The line\n"
	      "                     CONNECT P has at most 64 bytes, and must come within ten\n"
	      "                     seconds. The program waits at most ten seconds for a driver,\n"
	      "                     and then ten seconds for the guest's answer. PATH_seqpacket is\n"
	      "                     the same for SOCK_SEQPACKET, where each line is a record\n"
	      "      group=NAME     guests of this process with the same group reach each other by\n"
	      "                     context ID; their context IDs must differ\n"
	      "      connections=N  the most connections, 2048 by default. The same number of further\n"
	      "                     sockets may wait for the guest, or have output left after the\n"
	      "                     end of their connection\n"
	      "      buffer=BYTES   the most bytes that a connection keeps for a program of the host\n"
	      "                     that doesn't read, 262144 by default. The bytes are kept for one\n"
	      "                     more minute when the connection has ended\n"
	      "    SOCK_SEQPACKET: a socket of the host can carry no end-of-record mark, no empty\n"
	      "    record, and no record that the guest leaves without an end. A record must fit\n"
	      "    buffer=, the guest's buffer, and the socket's SO_SNDBUF\n"
	      "    (/proc/sys/net/core/wmem_default). Any other record resets its connection, and is\n"
	      "    counted. Between guests of a group the only limit is the guest's buffer.\n",
	      stdout);
}

const struct device_type vsock_device_type = {
	.option = "vsock",
	.synopsis = "cid=N,uds=PATH,socket=PATH[,OPTION...]",
	.print_help = print_help,
	.own_access = true,
	.create = create,
};
