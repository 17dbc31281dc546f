/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A level-triggered interrupt line that several devices share, made of a socket to a serial port.
 *
 * Under TCG, QEMU accepts no interrupt from a process behind x-pci-proxy-dev. But a pci-serial
 * whose character device is a socket raises its own interrupt when it receives a byte. The
 * pci-serial lowers the interrupt when the guest has read the byte. The port must have the same
 * interrupt as our devices, and a process of the guest must read the port all the time. Then each
 * byte causes an interrupt, and the guest's kernel calls the handlers of all devices on the line.
 *
 * A byte acts as an edge, but we need a level. Handlers must be called again until the driver has
 * acknowledged every cause. So we send a byte when the line goes up, and another byte every
 * IRQ_PERIOD_MS until the line is down. Without the repeated bytes a guest could hang:
 *
 *   - Our driver's handler reads the interrupt status and finds nothing. Then we raise the line and
 *     send a byte. The port's handler runs next, and reads this byte together with the byte that
 *     caused the interrupt.
 *   - The driver acknowledges one cause while another cause is pending. The line stays up, but no
 *     further byte is sent.
 *   - Nobody has opened the port yet, and the byte is dropped.
 *
 * With the repeated bytes an interrupt can only be late. An extra interrupt does no harm, because
 * drivers read the interrupt status first.
 */
#ifndef IRQ_LINE_H
#define IRQ_LINE_H

#include "event_loop.h"

#include <stdint.h>

#define IRQ_PERIOD_MS 10

struct irq_line {
	struct event_source port; /* the socket; bytes from the guest are dropped */
	struct event_source timer;
	struct event_loop *loop;
	uint32_t high;   /* a bit for each device that holds the line up */
	uint64_t raised; /* how often the line went up */
	uint64_t sent;   /* bytes sent */
};

/*
 * Opens the line, which then owns the socket. Returns 0; or -1 with errno, after closing the
 * socket.
 */
int irq_line_open(struct irq_line *line, struct event_loop *loop, int socket);

/* Sets whether device number `device`, from 0 to 31, holds the line up. */
void irq_line_set(struct irq_line *line, unsigned int device, bool level);

/* Also accepts a line that was never opened, if its two descriptors are -1. */
void irq_line_close(struct irq_line *line);

#endif
