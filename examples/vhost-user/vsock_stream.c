/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "vsock_stream.h"

#include "vsock_device.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <virtio/sys_iovec.h>

#define IOVECS 64u
#define PEEK (MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC | MSG_CMSG_CLOEXEC)
#define PAIR_PIECE 32768u /* most bytes of a record in one packet of a pair; far below SO_SNDBUF */

static bool has_records(const struct vsock_stream *s)
{
	return s->type == VIRTIO_VSOCK_TYPE_SEQPACKET;
}

/* Returns whether both directions of the socket are shut down, or the other side has closed it. */
static bool has_hung_up(const struct vsock_stream *s)
{
	struct pollfd p = { .fd = s->source.fd };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR));
}

/* Lists */

static void make_ready(struct vsock_stream *s)
{
	if (!s->is_ready) {
		TAILQ_INSERT_TAIL(&s->vsock->ready, s, in_ready);
		s->is_ready = true;
	}
	vsock_wake(s->vsock, VIRTIO_VSOCK_QUEUE_RX);
}

static void make_unready(struct vsock_stream *s)
{
	if (s->is_ready)
		TAILQ_REMOVE(&s->vsock->ready, s, in_ready);
	s->is_ready = false;
}

static void leave_stage(struct vsock_stream *s)
{
	TAILQ_REMOVE(&s->vsock->lists[s->stage], s, in_stage);
	s->vsock->counts_of[s->stage]--;
}

static void enter_stage(struct vsock_stream *s, enum vsock_stage stage)
{
	s->stage = (uint8_t)stage;
	s->since = vsock_now();
	TAILQ_INSERT_TAIL(&s->vsock->lists[stage], s, in_stage);
	s->vsock->counts_of[stage]++;
	vsock_arm(s->vsock);
}

void vsock_stream_set_stage(struct vsock_stream *s, enum vsock_stage stage)
{
	leave_stage(s);
	enter_stage(s, stage);
}

/* Life cycle */

static void drop_record(struct vsock_stream *s)
{
	free(s->record);
	s->record = NULL;
	s->has_record = false;
}

void vsock_stream_close(struct vsock_stream *s)
{
	struct vsock_device *vsock = s->vsock;

	make_unready(s);
	leave_stage(s);
	vsock->stream_count--;
	(void)event_loop_want(vsock->loop, &s->source, 0);
	close(s->source.fd);
	vsock_output_clear(&s->output);
	drop_record(s);
	free(s);
	vsock_clients_resume(vsock);
}

void vsock_stream_reset(struct vsock_stream *s)
{
	if (s->connection)
		virtio_vsock_connection_reset(s->connection);
	vsock_pay(s->vsock);
	vsock_stream_close(s);
}

/*
 * Shuts down the directions in `flags`, and wakes the receive queue, which sends the guest a packet
 * about the shutdown. This may close the stream.
 */
static void shutdown_guest(struct vsock_stream *s, uint32_t flags)
{
	const int got = virtio_vsock_connection_shutdown(s->connection, flags, vsock_now());

	vsock_pay(s->vsock);
	vsock_arm(s->vsock);
	if (got == 1)
		vsock_stream_let_go(s);
}

/* Output: to the socket */

/*
 * Reports written bytes to the table. Returns false if the connection is over. The stream may have
 * been closed then.
 */
static bool account(struct vsock_stream *s)
{
	struct virtio_vsock_connection *c = s->connection;
	const uint32_t buffered = virtio_vsock_connection_buffered(c), left = s->output.payload;
	/* In a stream without records, all stored bytes together are accounted as one packet. */
	const uint32_t packets = has_records(s) ? s->output.records : left != 0;
	int got = 0;

	if (buffered != left || c->rx_packets != packets)
		got = virtio_vsock_connection_forwarded(c, buffered - left, c->rx_packets - packets, vsock_now());
	vsock_pay(s->vsock);
	if (got == 1) {
		vsock_stream_let_go(s);
		return false;
	}
	if (virtio_vsock_connection_input_ended(c) && !s->write_ended) {
		s->write_ended = true;
		(void)shutdown(s->source.fd, SHUT_WR);
	}
	return true;
}

/*
 * Called when the socket can't be written to any more. end_of_input() tells the guest later, when
 * the socket's input has ended, too.
 */
static void stop_output(struct vsock_stream *s)
{
	vsock_output_clear(&s->output);
	s->discards = true;
}

/*
 * Sends a message. Returns the bytes sent, or -1 with errno. Clears s->writable if the socket has
 * no room now. Sets s->discards if the socket can't be written to any more.
 */
static ssize_t send_some(struct vsock_stream *s, const struct iovec *iov, size_t count)
{
	struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = count };
	ssize_t sent;

	do
		sent = sendmsg(s->source.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return sent;
	if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)
		s->writable = false;
	else if (errno != EFAULT && errno != EMSGSIZE)
		stop_output(s);
	return -1;
}

static void flush_stream(struct vsock_stream *s)
{
	struct iovec iov;
	const uint8_t *bytes;
	ssize_t sent;

	while (s->writable && (iov.iov_len = vsock_output_peek(&s->output, &bytes)) > 0) {
		iov.iov_base = (void *)(uintptr_t)bytes;
		sent = send_some(s, &iov, 1);
		if (sent < 0)
			return;
		s->vsock->counts.bytes_from_guest += (uint64_t)sent;
		vsock_output_take(&s->output, (size_t)sent);
	}
}

/*
 * Sends a packet of a pair: a byte of marks, and at most PAIR_PIECE bytes of a record. The marks
 * are 0 unless all bytes of `record` are sent. Returns false if nothing was sent.
 */
static bool send_piece(struct vsock_stream *s, const struct vsock_record *record)
{
	const uint32_t len = record->len < PAIR_PIECE ? record->len : PAIR_PIECE;
	uint8_t marks = len == record->len ? (uint8_t)record->marks : 0;
	const struct iovec iov[] = {
		{ .iov_base = &marks, .iov_len = 1 },
		{ .iov_base = (void *)(uintptr_t)record->bytes, .iov_len = len },
	};

	if (send_some(s, iov, 2) < 0)
		return false;
	s->vsock->counts.bytes_from_guest += len;
	vsock_output_take_record(&s->output, len);
	return true;
}

/*
 * Sends a record to a socket file. Returns false if the record can't be sent now. If the record can
 * never be sent, *out_never is set.
 */
static bool send_record(struct vsock_stream *s, const struct vsock_record *record, bool *out_never)
{
	const struct iovec iov = { .iov_base = (void *)(uintptr_t)record->bytes, .iov_len = record->len };

	/*
	 * A Unix socket has no EOR mark. A reader would mistake an empty record for the end of the
	 * input.
	 */
	*out_never = (record->marks & VIRTIO_VSOCK_SEQ_EOR) || record->len == 0;
	if (*out_never)
		return false;
	if (send_some(s, &iov, 1) < 0) {
		*out_never = errno == EMSGSIZE && !s->discards;
		return false;
	}
	s->vsock->counts.bytes_from_guest += record->len;
	vsock_output_take_record(&s->output, record->len);
	return true;
}

static bool guest_sends_more(const struct vsock_stream *s)
{
	return s->connection && !(s->connection->shut_by_peer & VIRTIO_VSOCK_SHUTDOWN_SEND);
}

/* Returns false if a record can't be carried. */
static bool flush_records(struct vsock_stream *s)
{
	struct vsock_record record;
	bool never = false;

	while (s->writable && !never && vsock_output_peek_record(&s->output, &record)) {
		if (s->paired) {
			if (!send_piece(s, &record))
				return !s->writable || s->discards;
		} else if ((record.marks & VIRTIO_VSOCK_SEQ_EOM) == 0) {
			/*
			 * A record with EOR can never be sent. A record without EOR can never be
			 * complete if its rest has no room, or if the guest sends no more.
			 */
			return !(record.marks & VIRTIO_VSOCK_SEQ_EOR) && record.len < s->vsock->buffer &&
			       guest_sends_more(s);
		} else if (!send_record(s, &record, &never)) {
			return !never;
		}
	}
	return true;
}

/* Returns false if a record can't be carried. The caller then closes the stream. */
static bool flush(struct vsock_stream *s)
{
	if (!has_records(s))
		flush_stream(s);
	else if (!flush_records(s))
		return false;
	return true;
}

void vsock_stream_let_go(struct vsock_stream *s)
{
	s->connection = NULL;
	make_unready(s);
	/*
	 * The guest sends no more. So a flush to a socket file fails if a stored record has no end.
	 * Then the stream closes, because the host would wait for the end in vain.
	 */
	if (s->stage != VSOCK_STAGE_OPEN || !flush(s) || s->discards || s->output.first == s->output.end) {
		vsock_stream_close(s);
		return;
	}
	drop_record(s);
	vsock_stream_set_stage(s, VSOCK_STAGE_LINGER);
}

static void break_for_record(struct vsock_stream *s)
{
	s->vsock->counts.records++;
	vsock_stream_reset(s);
}

/*
 * Sends stored output, and reports the sent bytes to the table. After false the stream may have
 * been closed.
 */
static bool flush_and_account(struct vsock_stream *s)
{
	if (!flush(s)) {
		break_for_record(s);
		return false;
	}
	return account(s);
}

/* Sends the first bytes directly from the guest's buffers, without a copy. */
static void send_directly(struct vsock_stream *s, struct virtio_reader *reader)
{
	struct virtio_iovec iov[IOVECS];
	uint64_t filled;
	uint32_t count;
	ssize_t sent;

	while (s->writable && virtio_reader_left(reader) > 0) {
		count = virtio_reader_iovec(reader, UINT64_MAX, iov, IOVECS, &filled);
		sent = send_some(s, virtio_sys_iovec(iov), count);
		/*
		 * After EFAULT the memory is gone. vsock_output_put() then causes a SIGBUS, whose
		 * handler marks the memory as damaged.
		 */
		if (sent <= 0 || virtio_reader_skip(reader, (uint64_t)sent))
			return;
		s->vsock->counts.bytes_from_guest += (uint64_t)sent;
	}
}

void vsock_stream_take(struct vsock_stream *s, const struct virtio_chain_segments *data,
		       const struct virtio_vsock_received *received)
{
	struct virtio_reader reader;
	int error = 0;

	virtio_reader_init(&reader, data);
	if (!s->discards && has_records(s)) {
		error = vsock_output_put_record(&s->output, &reader, received->bytes, received->marks);
	} else if (!s->discards) {
		if (s->output.payload == 0)
			send_directly(s, &reader);
		if (!s->discards && virtio_reader_left(&reader) > 0)
			error = vsock_output_put(&s->output, &reader, (uint32_t)virtio_reader_left(&reader));
	}
	if (error)
		vsock_stream_reset(s);
	else
		(void)flush_and_account(s);
}

void vsock_stream_shut(struct vsock_stream *s)
{
	/*
	 * The guest receives nothing more. shutdown() makes further writes of the program at the
	 * other end fail.
	 */
	if (s->connection->shut_by_peer & VIRTIO_VSOCK_SHUTDOWN_RCV) {
		(void)shutdown(s->source.fd, SHUT_RD);
		s->read_ended = true;
		drop_record(s);
		make_unready(s);
	}
	(void)flush_and_account(s);
}

/* Input: to the guest */

/*
 * Called when the socket's input has ended, or the socket has hung up. After a hang-up the
 * connection is over, and one SHUTDOWN ends both directions. Otherwise the guest may continue to
 * send, and a later hang-up causes another call.
 */
static void end_of_input(struct vsock_stream *s)
{
	const bool over = has_hung_up(s);

	s->read_ended = true;
	make_unready(s);
	if (over)
		stop_output(s);
	if (over && !account(s))
		return;
	shutdown_guest(s, over ? VIRTIO_VSOCK_SHUTDOWN_BOTH : (uint32_t)VIRTIO_VSOCK_SHUTDOWN_SEND);
}

/* Handles a receive call that returned 0 or less. */
static void on_nothing(struct vsock_stream *s, ssize_t got)
{
	make_unready(s);
	if (got < 0 && (errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS))
		s->readable = false;
	else
		end_of_input(s);
}

static int fill_from_stream(struct vsock_stream *s, struct virtio_vsock_packet *packet, uint64_t now)
{
	struct virtio_vsock_piece piece;
	struct virtio_iovec iov[IOVECS];
	struct virtio_writer writer;
	struct msghdr msg = { .msg_iov = NULL };
	uint64_t filled;
	ssize_t got;

	if (virtio_vsock_connection_piece(s->connection, UINT32_MAX, 0, (uint32_t)packet->data.writable_bytes, now,
					  &piece) != 1) {
		make_unready(s);
		return 0;
	}
	virtio_writer_init(&writer, &packet->data);
	msg.msg_iovlen = virtio_writer_iovec(&writer, piece.bytes, iov, IOVECS, &filled);
	msg.msg_iov = (struct iovec *)(uintptr_t)virtio_sys_iovec(iov);
	do
		got = recvmsg(s->source.fd, &msg, MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got <= 0) {
		on_nothing(s, got);
		return 0;
	}
	piece.bytes = (uint32_t)got;
	/* piece.bytes is at most the requested number, so this cannot fail. */
	return virtio_vsock_connection_send(s->connection, &piece, &packet->header) == 0;
}

/* Returns whether an empty message is a record. The end of the input has no credentials. */
static bool has_sender(struct msghdr *msg)
{
	return CMSG_FIRSTHDR(msg) != NULL;
}

/*
 * Receives a record into an allocation. Returns the record's length, -1 with errno, or 0 at the end
 * of the input. Sets *out_bad if the record can't be carried.
 */
static ssize_t receive_record(struct vsock_stream *s, bool *out_bad)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char none;
	struct iovec iov = { .iov_base = &none, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
	};
	const uint32_t most = s->paired ? PAIR_PIECE + 1 : s->vsock->buffer;
	ssize_t len = recvmsg(s->source.fd, &msg, PEEK);

	/*
	 * Linux reports a reset of the connection once, before the records that arrived earlier. So
	 * read again.
	 */
	if (len < 0 && errno == ECONNRESET)
		len = recvmsg(s->source.fd, &msg, PEEK);

	*out_bad = len > (ssize_t)most || (len == 0 && has_sender(&msg));
	if (len <= 0 || *out_bad)
		return len;
	s->record = malloc((size_t)len);
	if (!s->record) {
		*out_bad = true;
		return -1;
	}
	len = recv(s->source.fd, s->record, (size_t)len, MSG_DONTWAIT);
	if (len <= 0)
		drop_record(s);
	return len;
}

/*
 * Returns whether the message fits the guest's buffer up to the end of the present record, in
 * packets of `room` bytes. If not, the message can never arrive.
 */
static bool fits_guest(const struct vsock_stream *s, uint32_t room)
{
	const uint64_t bytes = s->message_sent + (s->record_len - s->record_at);
	const uint64_t packets = s->message_packets + (s->record_len - s->record_at + room - 1) / room;

	/* A single packet uses only its bytes of the credit. */
	const uint64_t overhead = packets > 1 ? packets * s->vsock->table.options.packet_overhead : 0;

	return bytes + overhead <= s->connection->peer_buf_alloc;
}

/* Returns whether there is a record. If there is none, the stream may have been closed. */
static bool load_record(struct vsock_stream *s, uint32_t room)
{
	bool bad;
	const ssize_t len = receive_record(s, &bad);

	if (bad) {
		break_for_record(s);
		return false;
	}
	if (len <= 0) {
		on_nothing(s, len);
		return false;
	}
	s->has_record = true;
	s->record_len = (uint32_t)len;
	s->record_at = s->paired;
	s->record_marks = s->paired ? s->record[0] : VIRTIO_VSOCK_SEQ_EOM;
	if (fits_guest(s, room))
		return true;
	break_for_record(s);
	return false;
}

/* Fills a packet with a piece of the present record. */
static int fill_from_record(struct vsock_stream *s, struct virtio_vsock_packet *packet, uint64_t now)
{
	const uint32_t room = (uint32_t)packet->data.writable_bytes;
	struct virtio_vsock_piece piece;
	struct virtio_writer writer;

	if (!s->has_record && !load_record(s, room))
		return 0;
	if (virtio_vsock_connection_piece(s->connection, s->record_len - s->record_at, s->record_marks, room, now,
					  &piece) != 1 ||
	    virtio_vsock_connection_send(s->connection, &piece, &packet->header)) {
		make_unready(s);
		return 0;
	}
	virtio_writer_init(&writer, &packet->data);
	virtio_writer_write(&writer, s->record + s->record_at, piece.bytes);
	s->record_at += piece.bytes;
	s->message_sent += piece.bytes;
	s->message_packets++;
	if (s->record_at == s->record_len)
		drop_record(s);
	if (piece.marks & VIRTIO_VSOCK_SEQ_EOM)
		s->message_sent = s->message_packets = 0;
	return 1;
}

int vsock_stream_fill(struct vsock_stream *s, struct virtio_vsock_packet *packet, uint64_t now)
{
	struct vsock_device *vsock = s->vsock;
	const int got = has_records(s) ? fill_from_record(s, packet, now) : fill_from_stream(s, packet, now);

	if (got == 1)
		vsock->counts.bytes_to_guest += virtio_vsock_len(&packet->header);
	else
		vsock_arm(vsock);
	return got;
}

void vsock_stream_credit(struct vsock_stream *s)
{
	if (s->stage == VSOCK_STAGE_OPEN && !s->read_ended && (s->readable || s->has_record))
		make_ready(s);
}

/*
 * Resets a connection if the guest's buffer holds only the first part of the present message, and
 * has no room for the remaining part. This happens if the guest's receive buffers have become
 * smaller since the message began, or if the message of a pair is too long.
 */
void vsock_stream_check(struct vsock_stream *s)
{
	const struct virtio_vsock_connection *c = s->connection;

	if (s->stage == VSOCK_STAGE_OPEN && c->blocked && s->message_sent != 0 &&
	    c->tx_cnt - c->peer_fwd_cnt == s->message_sent)
		break_for_record(s);
}

void vsock_stream_start(struct vsock_stream *s)
{
	vsock_stream_set_stage(s, VSOCK_STAGE_OPEN);
	if (s->readable)
		make_ready(s);
}

/* Events */

/* Called when the other guest's device has answered, or has refused by closing its socket. */
static void read_answer(struct vsock_stream *s)
{
	uint8_t byte = 0;
	ssize_t got;

	do
		got = recv(s->source.fd, &byte, 1, MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got == 1 && byte == VSOCK_ACCEPTED && virtio_vsock_connection_accept(s->connection) == 0) {
		s->vsock->counts.from_guest++;
		vsock_stream_start(s);
		vsock_pay(s->vsock);
		return;
	}
	s->vsock->counts.refused++;
	vsock_stream_reset(s);
}

static void on_open(struct vsock_stream *s)
{
	if (s->writable && s->output.first != s->output.end && !flush_and_account(s))
		return;
	if (!s->read_ended) {
		if (s->readable)
			make_ready(s);
	} else if (!(s->connection->shut_by_us & VIRTIO_VSOCK_SHUTDOWN_RCV) && has_hung_up(s)) {
		end_of_input(s);
	}
}

static void on_event(struct event_source *source)
{
	struct vsock_stream *s = CONTAINER_OF(source, struct vsock_stream, source);

	s->readable = s->readable || (source->events & EVENT_READABLE);
	s->writable = s->writable || (source->events & EVENT_WRITABLE);
	if (s->stage == VSOCK_STAGE_LINE) {
		vsock_clients_read(s);
	} else if (s->stage == VSOCK_STAGE_ANSWER && s->readable) {
		read_answer(s);
	} else if (s->stage == VSOCK_STAGE_OPEN) {
		on_open(s);
	} else if (s->stage == VSOCK_STAGE_LINGER && s->writable) {
		if (!flush(s) || s->discards || s->output.first == s->output.end)
			vsock_stream_close(s);
	}
}

struct vsock_stream *vsock_stream_open(struct vsock_device *vsock, int fd, uint16_t type, enum vsock_stage stage)
{
	struct vsock_stream *s;
	const int on = 1;

	if (vsock->stream_count >= 2 * vsock->max_connections) {
		errno = EUSERS;
		return NULL;
	}
	s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->vsock = vsock;
	s->type = type;
	s->source = (struct event_source){ .fd = fd, .ready = on_event };
	/* SO_PASSCRED distinguishes an empty record from the end of the input. */
	if ((has_records(s) && setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on)) ||
	    event_loop_want(vsock->loop, &s->source, EVENT_READABLE | EVENT_WRITABLE | EVENT_EDGE)) {
		free(s);
		return NULL;
	}
	vsock->stream_count++;
	enter_stage(s, stage);
	return s;
}
