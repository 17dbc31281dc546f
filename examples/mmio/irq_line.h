/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A level-triggered interrupt line that several devices share, made of a socket to a serial port.
 *
 * Under TCG, QEMU accepts no interrupt from a process behind x-pci-proxy-dev. But a pci-serial
 * whose character device is a socket raises its own interrupt when it receives a byte. It lowers
 * the interrupt when the guest has read the byte. The port must have the same interrupt as our
 * devices, and a process of the guest must read the port all the time. Then a byte is an interrupt:
 * the kernel calls the handlers of all devices on the line.
 *
 * A byte is an edge, and we need a level: while a device has a cause that the driver has not
 * acknowledged, handlers must be called again. So we send a byte when the line goes up, and another
 * byte every IRQ_PERIOD_MS until the line is down. Without the repetition a guest could hang:
 *
 *   - Our driver's handler reads the interrupt status and finds nothing. We raise the line and send
 *     a byte. The port's handler runs after it, and reads this byte together with the byte that
 *     caused the call.
 *   - The driver acknowledges one cause while another is pending. The line stays up, and no byte is
 *     on its way.
 *   - Nobody has opened the port yet, and the byte is dropped.
 *
 * With the repetition an interrupt can be late. An extra interrupt does no harm, because drivers
 * read the interrupt status first.
 */
#ifndef IRQ_LINE_H
#define IRQ_LINE_H

#include "event_loop.h"

#include <stdint.h>

#define IRQ_PERIOD_MS 10

struct irq_line {
	struct event_source port; /* the socket; what the guest writes to the port is dropped */
	struct event_source timer;
	struct event_loop *loop;
	uint32_t high;   /* a bit for each device that holds the line up */
	uint64_t raised; /* number of times that it went up, and of bytes sent; for the operator */
	uint64_t sent;
};

/*
 * Opens the line. It owns the socket from now on. Returns 0; or -1 with errno, after closing the
 * socket.
 */
int irq_line_open(struct irq_line *line, struct event_loop *loop, int socket);

/* Sets the level that one of the devices, 0 to 31, wants. */
void irq_line_set(struct irq_line *line, unsigned int device, bool level);

/* An irq_line that is all zero except for descriptors of -1 may be closed too. */
void irq_line_close(struct irq_line *line);

#endif
