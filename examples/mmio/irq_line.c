/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The interrupt line. */
#include "irq_line.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

/*
 * Sends a line feed. In a terminal's default mode the reader gets whole lines only, so other bytes
 * would fill the terminal's buffer.
 */
static void send_byte(struct irq_line *line)
{
	/*
	 * If the socket is full, drop the byte. The bytes that are still in the socket have the
	 * same effect.
	 */
	if (line->port.fd >= 0 && send(line->port.fd, "\n", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1)
		line->sent++;
}

static void set_timer(const struct irq_line *line, long ms)
{
	const struct timespec period = { .tv_nsec = ms * 1000000 };
	const struct itimerspec timer = { .it_interval = period, .it_value = period };

	(void)timerfd_settime(line->timer.fd, 0, &timer, NULL);
}

static void on_timer(struct event_source *source)
{
	struct irq_line *line = CONTAINER_OF(source, struct irq_line, timer);
	uint64_t expired;

	if (read(source->fd, &expired, sizeof expired) == (ssize_t)sizeof expired && line->high)
		send_byte(line);
}

/*
 * Drops the bytes that the guest writes. When QEMU closes this socket, the guest gets no more
 * interrupts. The program still serves the socket of x-pci-proxy-dev, until QEMU closes that
 * socket, too.
 */
static void on_port(struct event_source *source)
{
	struct irq_line *line = CONTAINER_OF(source, struct irq_line, port);
	char dropped[4096];
	const ssize_t got = recv(source->fd, dropped, sizeof dropped, MSG_DONTWAIT);

	if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	event_loop_remove(line->loop, source);
	close(source->fd);
	source->fd = -1;
}

int irq_line_open(struct irq_line *line, struct event_loop *loop, int socket)
{
	*line = (struct irq_line){
		.port = { .fd = socket, .ready = on_port },
		.timer = { .fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), .ready = on_timer },
		.loop = loop,
	};
	if (line->timer.fd >= 0 && event_loop_add(loop, &line->port, EVENT_WHILE_READABLE) == 0 &&
	    event_loop_add(loop, &line->timer, EVENT_WHILE_READABLE) == 0)
		return 0;
	irq_line_close(line);
	return -1;
}

void irq_line_set(struct irq_line *line, unsigned int device, bool level)
{
	const uint32_t before = line->high;
	const uint32_t bit = (uint32_t)1 << device;

	line->high = level ? before | bit : before & ~bit;
	if (line->high && !before) {
		line->raised++;
		send_byte(line);
		set_timer(line, IRQ_PERIOD_MS);
	} else if (!line->high && before) {
		set_timer(line, 0);
	}
}

void irq_line_close(struct irq_line *line)
{
	if (line->port.fd >= 0)
		close(line->port.fd);
	if (line->timer.fd >= 0)
		close(line->timer.fd);
	line->port.fd = -1;
	line->timer.fd = -1;
}
