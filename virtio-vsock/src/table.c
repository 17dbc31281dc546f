/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The table of connections: look-up, deadlines, pending packets, and replies to packets without a
 * connection.
 */
#include "table_internal.h"

/* A time and an interval are both below 2^63, so their sum is below VIRTIO_VSOCK_NO_DEADLINE. */
#define MAX_INTERVAL (UINT64_C(1) << 62)

/* Lists */

static void list_init(struct virtio_vsock_link *head)
{
	head->next = head;
	head->prev = head;
}

static bool list_empty(const struct virtio_vsock_link *head)
{
	return head->next == head;
}

static void list_remove(struct virtio_vsock_link *link)
{
	if (!link->next)
		return;
	link->next->prev = link->prev;
	link->prev->next = link->next;
	link->next = NULL;
	link->prev = NULL;
}

static void list_append(struct virtio_vsock_link *head, struct virtio_vsock_link *link)
{
	link->next = head;
	link->prev = head->prev;
	head->prev->next = link;
	head->prev = link;
}

static struct virtio_vsock_connection *of_queue(struct virtio_vsock_link *link)
{
	return (struct virtio_vsock_connection *)(void *)((uint8_t *)link -
							  offsetof(struct virtio_vsock_connection, queue));
}

static struct virtio_vsock_connection *of_timer(struct virtio_vsock_link *link)
{
	return (struct virtio_vsock_connection *)(void *)((uint8_t *)link -
							  offsetof(struct virtio_vsock_connection, timer));
}

void virtio_impl_vsock_queue(struct virtio_vsock_connection *c)
{
	struct virtio_vsock_table *table = c->table;

	if (c->pending == 0)
		list_remove(&c->queue);
	else if (!c->queue.next)
		list_append(c->pending & VIRTIO_VSOCK_PENDING_REQUEST ? &table->requests : &table->ready, &c->queue);
}

void virtio_impl_vsock_set_timer(struct virtio_vsock_connection *c, enum virtio_vsock_timer timer, uint64_t now)
{
	struct virtio_vsock_table *table = c->table;
	struct virtio_vsock_link *list = &table->retrying;
	uint64_t interval = table->options.credit_retry;

	list_remove(&c->timer);
	if (timer == TIMER_NONE)
		return;
	if (timer == TIMER_CONNECT) {
		list = &table->connecting;
		interval = table->options.connect_timeout;
	} else if (timer == TIMER_CLOSE) {
		list = &table->closing;
		interval = table->options.close_timeout;
	}
	c->deadline = now + interval;
	list_append(list, &c->timer);
}

/* Hash: SipHash-1-3 of the address, so a guest that chooses ports cannot fill one bucket. */

static uint64_t rotate(uint64_t v, unsigned int bits)
{
	return v << bits | v >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static struct virtio_vsock_connection **bucket_of(const struct virtio_vsock_table *table,
						  const struct virtio_vsock_address *address)
{
	const uint64_t words[3] = { (uint64_t)address->local_cid << 32 | address->local_port,
				    (uint64_t)address->peer_cid << 32 | address->peer_port, UINT64_C(16) << 56 };
	uint64_t v[4] = { table->seed[0] ^ UINT64_C(0x736f6d6570736575), table->seed[1] ^ UINT64_C(0x646f72616e646f6d),
			  table->seed[0] ^ UINT64_C(0x6c7967656e657261),
			  table->seed[1] ^ UINT64_C(0x7465646279746573) };

	for (uint32_t i = 0; i < 3; i++) {
		v[3] ^= words[i];
		sip_round(v);
		v[0] ^= words[i];
	}
	v[2] ^= 0xff;
	for (uint32_t i = 0; i < 3; i++)
		sip_round(v);
	return &table->buckets[(uint32_t)(v[0] ^ v[1] ^ v[2] ^ v[3]) & table->bucket_mask];
}

static bool same_address(const struct virtio_vsock_address *a, const struct virtio_vsock_address *b)
{
	return a->local_port == b->local_port && a->peer_port == b->peer_port && a->local_cid == b->local_cid &&
	       a->peer_cid == b->peer_cid;
}

struct virtio_vsock_connection *virtio_vsock_table_find(const struct virtio_vsock_table *table,
							const struct virtio_vsock_address *address)
{
	struct virtio_vsock_connection *c = *bucket_of(table, address);

	while (c && !same_address(&c->address, address))
		c = c->hash_next;
	return c;
}

/* Entries */

struct virtio_vsock_connection *virtio_impl_vsock_open(struct virtio_vsock_table *table, uint16_t type,
						       const struct virtio_vsock_address *address)
{
	struct virtio_vsock_connection *c = table->free_places, **bucket = bucket_of(table, address);

	if (!c)
		return NULL;
	table->free_places = c->hash_next;
	table->count++;
	c->address = *address;
	c->hash_next = *bucket;
	*bucket = c;
	virtio_impl_vsock_init(c, type);
	return c;
}

static void free_place(struct virtio_vsock_table *table, struct virtio_vsock_connection *c)
{
	c->state = VIRTIO_VSOCK_CLOSED;
	c->pending = 0;
	c->hash_next = table->free_places;
	table->free_places = c;
}

void virtio_impl_vsock_close(struct virtio_vsock_connection *c)
{
	struct virtio_vsock_table *table = c->table;
	struct virtio_vsock_connection **link = bucket_of(table, &c->address);

	while (*link != c)
		link = &(*link)->hash_next;
	*link = c->hash_next;
	list_remove(&c->queue);
	list_remove(&c->timer);
	table->count--;
	free_place(table, c);
}

static int check_options(const struct virtio_vsock_options *options)
{
	if (options->buf_alloc == 0 || options->max_packets == 0 || options->max_payload == 0 ||
	    options->first_port > options->last_port)
		return VIRTIO_EINVAL;
	/* Subtracting 1 turns 0 into the largest number, so 0 is refused, too. */
	return options->connect_timeout - 1 < MAX_INTERVAL && options->close_timeout - 1 < MAX_INTERVAL &&
			       options->credit_retry - 1 < MAX_INTERVAL
		       ? 0
		       : VIRTIO_EINVAL;
}

int virtio_vsock_table_init(struct virtio_vsock_table *table, const struct virtio_vsock *vsock,
			    const struct virtio_vsock_options *options,
			    const struct virtio_vsock_table_storage *storage, const uint64_t seed[2])
{
	const uint32_t buckets = storage->bucket_count;

	if (check_options(options) || !storage->connections || storage->connection_count == 0 || !storage->buckets ||
	    buckets == 0 || (buckets & (buckets - 1)) || !storage->replies || storage->reply_count == 0)
		return VIRTIO_EINVAL;
	memset(table, 0, sizeof *table);
	table->vsock = vsock;
	table->options = *options;
	table->connections = storage->connections;
	table->capacity = storage->connection_count;
	table->buckets = storage->buckets;
	table->bucket_mask = buckets - 1;
	table->seed[0] = seed[0];
	table->seed[1] = seed[1];
	table->replies = storage->replies;
	table->reply_capacity = storage->reply_count;
	table->next_port = options->first_port;
	virtio_vsock_table_clear(table);
	return 0;
}

void virtio_vsock_table_clear(struct virtio_vsock_table *table)
{
	table->count = 0;
	table->reply_first = 0;
	table->reply_count = 0;
	table->held = false;
	table->free_places = NULL;
	list_init(&table->ready);
	list_init(&table->requests);
	list_init(&table->connecting);
	list_init(&table->closing);
	list_init(&table->retrying);
	for (uint32_t i = 0; i <= table->bucket_mask; i++)
		table->buckets[i] = NULL;
	/* Frees the last entry first, so that the first entry is used first. */
	for (uint32_t i = table->capacity; i-- > 0;) {
		struct virtio_vsock_connection *c = &table->connections[i];

		memset(c, 0, sizeof *c);
		c->table = table;
		free_place(table, c);
	}
}

void virtio_vsock_table_reset_all(struct virtio_vsock_table *table)
{
	for (uint32_t i = 0; i < table->capacity; i++)
		virtio_vsock_connection_reset(&table->connections[i]);
}

void virtio_vsock_table_hold(struct virtio_vsock_table *table, bool held)
{
	table->held = held;
}

struct virtio_vsock_connection *virtio_vsock_table_each(const struct virtio_vsock_table *table,
							const struct virtio_vsock_connection *previous)
{
	uint32_t i = previous ? (uint32_t)(previous - table->connections) + 1 : 0;

	while (i < table->capacity && table->connections[i].state == VIRTIO_VSOCK_CLOSED)
		i++;
	return i < table->capacity ? &table->connections[i] : NULL;
}

/* Replies to packets without a connection */

static struct virtio_vsock_hdr *reply_at(const struct virtio_vsock_table *table, uint32_t i)
{
	/* Compares by subtraction, so that no 32-bit sum wraps. */
	const uint32_t to_end = table->reply_capacity - table->reply_first;

	return &table->replies[i < to_end ? table->reply_first + i : i - to_end];
}

/* Returns whether a reply answers packets with this header's addresses. */
static bool answers(const struct virtio_vsock_hdr *reply, const struct virtio_vsock_hdr *header)
{
	return reply->dst_cid == header->src_cid && reply->src_cid == header->dst_cid &&
	       reply->dst_port == header->src_port && reply->src_port == header->dst_port;
}

/* Drops the reply that answers `header`, if any. The other replies keep their order. */
static void drop_reply(struct virtio_vsock_table *table, const struct virtio_vsock_hdr *header)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < table->reply_count; i++) {
		if (!answers(reply_at(table, i), header))
			*reply_at(table, kept++) = *reply_at(table, i);
	}
	table->reply_count = kept;
}

/* Adds the reply that answers `header`, unless such a reply is pending. */
static void add_reply(struct virtio_vsock_table *table, const struct virtio_vsock_hdr *header)
{
	table->strays++;
	for (uint32_t i = 0; i < table->reply_count; i++) {
		if (answers(reply_at(table, i), header))
			return;
	}
	if (virtio_vsock_reset_reply(header, reply_at(table, table->reply_count)) == 1)
		table->reply_count++;
}

/* Packets */

/* Handles a REQUEST of the guest. c is NULL, or an old connection whose RST was not sent yet. */
static void receive_request(struct virtio_vsock_table *table, const struct virtio_vsock_address *address,
			    struct virtio_vsock_connection *c, const struct virtio_vsock_hdr *header, uint64_t now,
			    struct virtio_vsock_received *out)
{
	/* A pending RST would look to the guest like the answer to this REQUEST. */
	drop_reply(table, header);
	if (c) {
		list_remove(&c->queue);
		virtio_impl_vsock_init(c, virtio_vsock_type(header));
	} else {
		c = virtio_impl_vsock_open(table, virtio_vsock_type(header), address);
	}
	if (!c) {
		add_reply(table, header);
		return;
	}
	c->state = VIRTIO_VSOCK_ACCEPTING;
	virtio_impl_vsock_take_credit(c, header);
	virtio_impl_vsock_set_timer(c, TIMER_CONNECT, now);
	out->connection = c;
	out->got = VIRTIO_VSOCK_GOT_REQUEST;
}

/* Receives a packet whose addresses are valid. */
static void receive(struct virtio_vsock_table *table, const struct virtio_vsock_hdr *header, int error, uint64_t now,
		    struct virtio_vsock_received *out)
{
	const struct virtio_vsock_address address = {
		.local_cid = (uint32_t)virtio_vsock_dst_cid(header),
		.local_port = virtio_vsock_dst_port(header),
		.peer_cid = (uint32_t)virtio_vsock_src_cid(header),
		.peer_port = virtio_vsock_src_port(header),
	};
	struct virtio_vsock_connection *c = virtio_vsock_table_find(table, &address);
	const uint16_t op = virtio_vsock_op(header), type = virtio_vsock_type(header);
	const bool bad = error != 0 || !virtio_vsock_has_type(table->vsock, type);

	if (op == VIRTIO_VSOCK_OP_RST && !c) {
		/*
		 * Drops a pending reply to an earlier packet with these addresses. The guest could
		 * mistake that reply for an RST of a new connection.
		 */
		drop_reply(table, header);
	} else if (op == VIRTIO_VSOCK_OP_REQUEST && !bad && (!c || c->state == VIRTIO_VSOCK_RESET)) {
		receive_request(table, &address, c, header, now, out);
	} else if (!c) {
		add_reply(table, header);
	} else if (c->state == VIRTIO_VSOCK_RESET) {
		if (op == VIRTIO_VSOCK_OP_RST)
			virtio_impl_vsock_close(c);
	} else if (op != VIRTIO_VSOCK_OP_RST && (bad || type != c->type)) {
		out->connection = c;
		out->got = VIRTIO_VSOCK_GOT_END;
		c->pending &= ~(uint32_t)VIRTIO_VSOCK_PENDING_REQUEST;
		virtio_impl_vsock_end(c);
	} else {
		virtio_impl_vsock_receive(c, header, now, out);
		out->connection = out->got != 0 ? c : NULL;
	}
}

int virtio_vsock_table_receive(struct virtio_vsock_table *table, const struct virtio_vsock_hdr *header, int error,
			       uint64_t now, struct virtio_vsock_received *out)
{
	if (table->reply_count == table->reply_capacity)
		return VIRTIO_EBUSY;
	memset(out, 0, sizeof *out);
	if (virtio_vsock_is_from_guest(table->vsock, header))
		receive(table, header, error, now, out);
	else
		table->dropped++;
	return 0;
}

/* Pending packets */

/*
 * Builds the first pending packet of a connection. If more packets are pending, moves the
 * connection to the end of its list.
 */
static void next_of(struct virtio_vsock_connection *c, struct virtio_vsock_hdr *out)
{
	static const struct {
		uint32_t pending;
		uint16_t op;
	} order[] = {
		{ VIRTIO_VSOCK_PENDING_RST, VIRTIO_VSOCK_OP_RST },
		{ VIRTIO_VSOCK_PENDING_REQUEST, VIRTIO_VSOCK_OP_REQUEST },
		{ VIRTIO_VSOCK_PENDING_RESPONSE, VIRTIO_VSOCK_OP_RESPONSE },
		{ VIRTIO_VSOCK_PENDING_ANSWER, VIRTIO_VSOCK_OP_CREDIT_UPDATE },
		{ VIRTIO_VSOCK_PENDING_UPDATE, VIRTIO_VSOCK_OP_CREDIT_UPDATE },
		{ VIRTIO_VSOCK_PENDING_CREDIT_REQUEST, VIRTIO_VSOCK_OP_CREDIT_REQUEST },
		{ VIRTIO_VSOCK_PENDING_SHUTDOWN, VIRTIO_VSOCK_OP_SHUTDOWN },
	};
	uint32_t i = 0;

	while (!(c->pending & order[i].pending))
		i++;
	list_remove(&c->queue);
	c->pending &= ~order[i].pending;
	virtio_impl_vsock_fill(c, order[i].op, out);
	if (order[i].op == VIRTIO_VSOCK_OP_SHUTDOWN)
		virtio_vsock_set_flags(out, c->shut_by_us);
	if (order[i].op == VIRTIO_VSOCK_OP_RST)
		virtio_impl_vsock_close(c);
	else
		virtio_impl_vsock_queue(c);
}

int virtio_vsock_table_next(struct virtio_vsock_table *table, struct virtio_vsock_hdr *out)
{
	if (table->reply_count != 0) {
		*out = table->replies[table->reply_first];
		table->reply_first = table->reply_first + 1 < table->reply_capacity ? table->reply_first + 1 : 0;
		table->reply_count--;
	} else if (!list_empty(&table->ready)) {
		next_of(of_queue(table->ready.next), out);
	} else if (!table->held && !list_empty(&table->requests)) {
		next_of(of_queue(table->requests.next), out);
	} else {
		return 0;
	}
	return 1;
}

bool virtio_vsock_table_pending(const struct virtio_vsock_table *table)
{
	return table->reply_count != 0 || !list_empty(&table->ready) || (!table->held && !list_empty(&table->requests));
}

/* Deadlines */

static struct virtio_vsock_connection *earliest(const struct virtio_vsock_link *list)
{
	return list_empty(list) ? NULL : of_timer(list->next);
}

uint64_t virtio_vsock_table_deadline(const struct virtio_vsock_table *table)
{
	const struct virtio_vsock_connection *first[] = { earliest(&table->connecting), earliest(&table->closing),
							  earliest(&table->retrying) };
	uint64_t deadline = VIRTIO_VSOCK_NO_DEADLINE;

	for (uint32_t i = 0; i < 3; i++) {
		if (first[i] && first[i]->deadline < deadline)
			deadline = first[i]->deadline;
	}
	return deadline;
}

int virtio_vsock_table_expire(struct virtio_vsock_table *table, uint64_t now, struct virtio_vsock_connection **out)
{
	struct virtio_vsock_connection *c = earliest(&table->retrying);

	/* Each connection in the loop gets a later deadline, so the loop ends. */
	while (c && c->deadline <= now) {
		virtio_impl_vsock_ask_again(c, now);
		c = earliest(&table->retrying);
	}
	c = earliest(&table->connecting);
	if (!c || c->deadline > now)
		c = earliest(&table->closing);
	if (!c || c->deadline > now)
		return 0;
	virtio_impl_vsock_end(c);
	*out = c;
	return 1;
}

/* The host's requests */

static int check_connect(const struct virtio_vsock_table *table, uint16_t type)
{
	if (!virtio_vsock_has_type(table->vsock, type))
		return VIRTIO_ENOTSUP;
	return table->free_places ? 0 : VIRTIO_ENOBUFS;
}

static void request(struct virtio_vsock_table *table, uint16_t type, const struct virtio_vsock_address *address,
		    uint64_t now, struct virtio_vsock_connection **out)
{
	struct virtio_vsock_connection *c = virtio_impl_vsock_open(table, type, address);

	c->state = VIRTIO_VSOCK_REQUESTED;
	c->pending = VIRTIO_VSOCK_PENDING_REQUEST;
	virtio_impl_vsock_queue(c);
	virtio_impl_vsock_set_timer(c, TIMER_CONNECT, now);
	*out = c;
}

int virtio_vsock_table_connect(struct virtio_vsock_table *table, uint16_t type, uint32_t peer_port, uint64_t now,
			       struct virtio_vsock_connection **out)
{
	struct virtio_vsock_address address = {
		.local_cid = VIRTIO_VSOCK_CID_HOST,
		.peer_cid = (uint32_t)table->vsock->guest_cid,
		.peer_port = peer_port,
	};
	const uint32_t first = table->options.first_port, last = table->options.last_port;
	int error = check_connect(table, type);

	if (error)
		return error;
	/*
	 * The table's capacity bounds the loop. No port is tried twice, so each port that is in use
	 * belongs to a different connection.
	 */
	for (uint64_t left = (uint64_t)last - first + 1; left > 0; left--) {
		address.local_port = table->next_port;
		table->next_port = table->next_port == last ? first : table->next_port + 1;
		if (virtio_vsock_table_find(table, &address))
			continue;
		request(table, type, &address, now, out);
		return 0;
	}
	return VIRTIO_ENOBUFS;
}

int virtio_vsock_table_connect_from(struct virtio_vsock_table *table, uint16_t type,
				    const struct virtio_vsock_address *address, uint64_t now,
				    struct virtio_vsock_connection **out)
{
	int error = address->peer_cid == table->vsock->guest_cid ? check_connect(table, type) : VIRTIO_EINVAL;

	if (!error && virtio_vsock_table_find(table, address))
		error = VIRTIO_EBUSY;
	if (!error)
		request(table, type, address, now, out);
	return error;
}
