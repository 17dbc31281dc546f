/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A console in a file of saved state: its sections, written and read. The plain structures, and the
 * calls that restore them, are in <virtio/console_ports.h>.
 *
 *   section         index    what
 *   console         0        features, whether the driver is ready, and its ports: what the driver
 *                   was
 *                            told and has said, its size, and how much of a transmit chain in
 *                            flight the sink has taken
 *   console.input   port     input that is not in guest memory yet
 *
 * The order of a restore: virtio_console_read_state(), virtio_console_read_input() and
 * virtio_console_check_record() judge. Then
 * virtio_console_restore(), virtio_console_restore_port() for each port, the input by
 * virtio_console_input_enqueue(), and when the queues are restored, virtio_queue_replay() and
 * virtio_console_replay_transmit() for the chain of each port that has one.
 *
 * Names, sinks, clients and capacities are the owner's: the owner adds the same ports before the
 * state is read. Where a port has a client here and had none there, or the other way round, the
 * driver is told.
 *
 * What the guest can do: nothing. A file may say anything, and every value of it is checked.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     another use of the device
 *
 * virtio 1.4, 5.3
 */
#ifndef VIRTIO_CONSOLE_STATE_H
#define VIRTIO_CONSOLE_STATE_H

#include <virtio/console.h>
#include <virtio/queue_state.h>
#include <virtio/section.h>

VIRTIO_BEGIN_DECLS

/* The section of a device, with a list "ports"; and that of a port's input, a list "bytes". */
const struct virtio_section_layout *virtio_console_layout(void);
const struct virtio_section_layout *virtio_console_input_layout(void);

/*
 * Judges a state as virtio_console_restore() and virtio_console_restore_port() will, and changes
 * nothing.
 *
 * @ports    count entries, with ascending numbers
 * @refusal  set to the value that is refused, by the names of virtio_console_layout(); otherwise
 *           untouched
 *
 * Returns 0 or VIRTIO_EINVAL.
 */
VIRTIO_MUST_CHECK
int virtio_console_check_state(const struct virtio_console *console, const struct virtio_console_state *state,
			       const struct virtio_console_port_state *ports, uint32_t count,
			       struct virtio_refusal *refusal);

/*
 * Writes the section of a device, and one for each port with input. Nothing of the device changes.
 *
 * @number  which device of the file, by the caller's numbers
 */
void virtio_console_write_state(struct virtio_section_writer *writer, uint32_t number,
				const struct virtio_console *console);

/*
 * Reads and judges the section of a device.
 *
 * @number    as it was written
 * @console   that it is to be restored into, with its ports
 * @features  what the file's core has negotiated, from virtio_device_saved_features(): the state
 *            must agree in this device type's bits. NULL takes any.
 * @state     for virtio_console_restore()
 * @ports     the caller's array, for virtio_console_restore_port(): ports that are absent, and of
 *            which nothing is to be said, are not in it
 * @capacity  its entries: as many as the table of ports has are enough
 * @count     set to how many there are
 *
 * Returns 0; or an error of virtio_section_read() or virtio_console_check_state(), with section,
 * value and place in reader->fault. After an error state and count are untouched, and ports may
 * hold anything.
 */
VIRTIO_MUST_CHECK
int virtio_console_read_state(struct virtio_section_reader *reader, uint32_t number,
			      const struct virtio_console *console, const uint64_t *features,
			      struct virtio_console_state *state, struct virtio_console_port_state *ports,
			      uint32_t capacity, uint32_t *count);

/*
 * Reads the input of a port, if the file has one: in the order of the ports, after the section of
 * the device.
 *
 * @id        number of the port
 * @bytes     the caller's, capacity bytes
 * @capacity  bytes that the port's buffer can take: more are refused with VIRTIO_ENOBUFS
 * @count     set to how many there are: 0 if the file has no such section
 *
 * Returns as virtio_console_read_state(). VIRTIO_EINVAL for a port that is not there.
 */
VIRTIO_MUST_CHECK
int virtio_console_read_input(struct virtio_section_reader *reader, uint32_t number,
			      const struct virtio_console *console, uint32_t id, uint8_t *bytes, uint32_t capacity,
			      uint32_t *count);

/*
 * Judges the record of a queue against the ports: a transmit queue has in flight what its port
 * says, and no other queue of a console has anything in flight.
 *
 * @ports         count entries, from virtio_console_read_state()
 * @queue         the queue's number
 * @record        record_count entries, from virtio_queue_ser_read()
 * @refusal       set to the value that is refused, by the names of the queue's section; otherwise
 *                untouched
 *
 * Returns 0 or VIRTIO_EINVAL.
 */
VIRTIO_MUST_CHECK
int virtio_console_check_record(const struct virtio_console_port_state *ports, uint32_t count, uint32_t queue,
				const struct virtio_queue_flight *record, uint32_t record_count,
				struct virtio_refusal *refusal);

VIRTIO_END_DECLS

#endif
