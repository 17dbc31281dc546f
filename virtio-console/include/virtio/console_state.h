/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The sections of a console in a file of saved state. The plain structures, and the functions that
 * restore them, are in <virtio/console_ports.h>.
 *
 *   section        index  content
 *   console        0      features, whether the driver is ready, and the ports. For each port:
 *                         flags, pending messages and size. For a transmit chain in flight: its
 *                         head, and the number of bytes that the sink has taken
 *   console.input  port   input that is not in guest memory yet
 *
 * The order of a restore:
 *   1  virtio_console_read_state(), virtio_console_read_input() and virtio_console_check_record()
 *      check the file
 *   2  virtio_console_restore(), then virtio_console_restore_port() for each port
 *   3  virtio_console_input_enqueue() for the input of each port
 *   4  after the restore of the queues: virtio_queue_replay() and virtio_console_replay_transmit()
 *      for each transmit chain in flight
 *
 * Names, sinks, clients and the capacities of arrays are not saved. The caller adds the same ports
 * before the state is read. If a generic port has gained or lost its client since the last OPEN to
 * the driver, the driver gets an OPEN.
 *
 * What the guest can do: nothing. The file may have any content, and every value is checked.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     another call on the same device, input, reader or writer
 *
 * virtio 1.4, 5.3
 */
#ifndef VIRTIO_CONSOLE_STATE_H
#define VIRTIO_CONSOLE_STATE_H

#include <virtio/console.h>
#include <virtio/queue_state.h>
#include <virtio/section.h>

VIRTIO_BEGIN_DECLS

/* Returns the layout of a device's section, which has a list "ports". */
const struct virtio_section_layout *virtio_console_layout(void);
/* Returns the layout of the section for a port's input, which has a list "bytes". */
const struct virtio_section_layout *virtio_console_input_layout(void);

/*
 * Makes the checks of virtio_console_restore() and virtio_console_restore_port(), and changes
 * nothing in the device.
 *
 * @ports    array of count entries, in ascending order of port numbers
 * @refusal  set to the refused value, named as in virtio_console_layout(); untouched on success
 *
 * Returns 0 or VIRTIO_EINVAL.
 */
VIRTIO_MUST_CHECK
int virtio_console_check_state(const struct virtio_console *console, const struct virtio_console_state *state,
			       const struct virtio_console_port_state *ports, uint32_t count,
			       struct virtio_refusal *refusal);

/*
 * Writes the section of a device, and a section "console.input" for each present port with input.
 * The device doesn't change.
 *
 * @number  number of the device in the file, chosen by the caller
 */
void virtio_console_write_state(struct virtio_section_writer *writer, uint32_t number,
				const struct virtio_console *console);

/*
 * Reads and checks the section of a device.
 *
 * @number    the device's number in the file
 * @console   the target of the restore, with its ports
 * @features  from virtio_device_saved_features(): the features in the section "device" of the same
 *            file. Bits 0 to 23 must be equal to the features in the section "console". NULL
 *            accepts any features.
 * @state     filled in for virtio_console_restore()
 * @ports     the caller's array, filled in for virtio_console_restore_port(). An absent port with
 *            nothing to restore has no entry.
 * @capacity  entries of the array; port_count of the device's options is enough
 * @count     set to the number of entries
 *
 * Returns 0, or:
 *   VIRTIO_EINVAL  the device cannot have the state, the features differ, or a present port has no
 *                  entry
 *   other errors   of virtio_section_read()
 * After an error, reader->fault has section, value and offset. The outputs state and count are
 * untouched, and the content of ports is undefined.
 */
VIRTIO_MUST_CHECK
int virtio_console_read_state(struct virtio_section_reader *reader, uint32_t number,
			      const struct virtio_console *console, const uint64_t *features,
			      struct virtio_console_state *state, struct virtio_console_port_state *ports,
			      uint32_t capacity, uint32_t *count);

/*
 * Reads the input of a port, if the file has any. Call this after virtio_console_read_state(), for
 * each present port, by ascending number.
 *
 * @id        number of the port
 * @bytes     the caller's memory, capacity bytes
 * @capacity  bytes that the port's buffer can hold. Longer input is refused with VIRTIO_ENOBUFS.
 * @count     set to the number of bytes; 0 if the file has no input of this port
 *
 * Returns 0; an error of virtio_section_read(); or VIRTIO_EINVAL for a port that does not exist.
 */
VIRTIO_MUST_CHECK
int virtio_console_read_input(struct virtio_section_reader *reader, uint32_t number,
			      const struct virtio_console *console, uint32_t id, uint8_t *bytes, uint32_t capacity,
			      uint32_t *count);

/*
 * Checks a queue's record of requests in flight against the ports. If a port's state has a transmit
 * chain in flight, the record of the port's transmit queue must have exactly one entry: this chain,
 * not completed. The records of all other queues must be empty.
 *
 * @ports    array of count entries, from virtio_console_read_state()
 * @queue    the queue's number
 * @record   array of record_count entries, from virtio_queue_ser_read()
 * @refusal  set to the refused value, named as in the queue's section; untouched on success
 *
 * Returns 0 or VIRTIO_EINVAL.
 */
VIRTIO_MUST_CHECK
int virtio_console_check_record(const struct virtio_console_port_state *ports, uint32_t count, uint32_t queue,
				const struct virtio_queue_flight *record, uint32_t record_count,
				struct virtio_refusal *refusal);

VIRTIO_END_DECLS

#endif
