/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A level-triggered interrupt line that several devices share, made of a socket to a serial port.
 *
 * Under TCG, QEMU takes no interrupt from a process behind x-pci-proxy-dev. But a pci-serial whose
 * character device is a socket raises its own interrupt when it receives a byte, and lowers it when
 * the guest has read that. If it has the same interrupt as our devices, and a process of the guest
 * reads the port all the time, then a byte is an interrupt: the kernel calls the handlers of all
 * who share the line.
 *
 * That is an edge, and a level is wanted: as long as a device has something that the driver has not
 * acknowledged, handlers are to be called again. So a byte is sent when the line goes up, and
 * another one every IRQ_PERIOD_MS until it is down. Without the repetition a guest could hang:
 *
 *   - our driver's handler reads the interrupt status and finds nothing; we raise the line and send
 *     a byte; the port's handler runs after it, and reads this byte together with the one that was
 *     the reason for the call
 *   - the driver acknowledges one cause while another one is pending: the line stays up, and no
 *     byte is on its way
 *   - nobody has the port open yet, and the byte is dropped
 *
 * With it, the worst is an interrupt that comes late. One too many does no harm to drivers, which
 * ask for the interrupt status first.
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
	uint64_t raised; /* times that it went up, and bytes sent; for the operator */
	uint64_t sent;
};

/* Takes the socket. Returns 0, or -1 with errno, and then closes it. */
int irq_line_open(struct irq_line *line, struct event_loop *loop, int socket);

/* What one of the devices, 0 to 31, wants. */
void irq_line_set(struct irq_line *line, unsigned int device, bool level);

/* An irq_line that is all zero but for descriptors of -1 may be closed too. */
void irq_line_close(struct irq_line *line);

#endif
