/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The console device: a terminal of the guest, and named ports beside it. console_link.h has the
 * host's ends.
 *
 * What the guest can do: write without end, and leave its receive queues empty. A console's output
 * goes to a bounded buffer that drops its oldest bytes, because Linux waits for a console's
 * transmit buffer with interrupts off. Other ports, and a console with full=wait, are throttled: a
 * transmit chain waits, and the device keeps the position in the chain. Input is read only as far
 * as the port's input buffer has room.
 *
 * If a queue pauses or stops, the rest of a partly accepted chain goes to the output buffer's
 * reserve, as far as there is room. So no byte is repeated when a front end starts the queue again
 * at the same index. If the index is 0, the start looks like a reboot of the guest.
 *
 * virtio 1.4, 5.3
 */
#include "console_device.h"

#include "log.h"
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <virtio/features.h>

static void wake_queue(struct console_device *console, uint32_t index)
{
	if (console->running[index])
		device_queue_wake(console->running[index]);
}

static void wake_receive(struct console_device *console, uint32_t id)
{
	uint32_t receive, transmit;

	if (virtio_console_port_queues(&console->console, id, &receive, &transmit) == 0)
		wake_queue(console, receive);
}

/* Returns the running transmit queue of a port, or NULL. */
static struct device_queue *find_transmit(struct console_device *console, uint32_t id)
{
	uint32_t receive, transmit;

	if (virtio_console_port_queues(&console->console, id, &receive, &transmit))
		return NULL;
	return console->running[transmit];
}

static void wake_transmit(struct console_device *console, uint32_t id)
{
	struct device_queue *queue = find_transmit(console, id);

	if (queue)
		device_queue_wake(queue);
}

void console_wake_control(struct console_device *console)
{
	wake_queue(console, VIRTIO_CONSOLE_CONTROL_RECEIVE_QUEUE);
}

/* The host's end */

static struct port *from_link(struct console_link *link)
{
	return CONTAINER_OF(link, struct port, link);
}

static size_t input_room(struct console_link *link)
{
	return virtio_console_input_available(&from_link(link)->input);
}

/* The link has read at most the available room, so all bytes fit. */
static void take_input(struct console_link *link, const uint8_t *bytes, size_t len)
{
	struct port *port = from_link(link);
	bool wake = false;

	(void)!virtio_console_input_enqueue(&port->input, bytes, len, &wake);
	wake_receive(port->console, port->id);
}

static void output_room(struct console_link *link)
{
	struct port *port = from_link(link);

	wake_transmit(port->console, port->id);
}

static void client_changed(struct console_link *link, bool is)
{
	struct port *port = from_link(link);
	struct virtio_console *console = &port->console->console;
	bool room;

	/*
	 * The calls below can't fail: the port exists, and the link reports each arrival and
	 * departure of a client once.
	 */
	if (is)
		(void)!virtio_console_connect(console, port->id);
	else
		(void)!virtio_console_disconnect(console, port->id, &room);
	console_wake_control(port->console);
}

void console_size_changed(struct console_link *link, uint16_t cols, uint16_t rows)
{
	struct port *port = from_link(link);
	struct virtio_console *console = &port->console->console;

	/* Only a console port has a size. */
	if (virtio_console_resize(console, port->id, cols, rows) == 1 && port->console->is_open)
		device_config_changed(&port->console->device);
	console_wake_control(port->console);
}

static bool takes_input(struct console_link *link)
{
	const struct port *port = from_link(link);
	const struct console_device *console = port->console;

	if (!console->is_attached || !port->opened)
		return false;
	return port->id == 0 ? console->takes_input : console->table[port->id].guest_open;
}

static size_t deliver(struct console_link *link);

static const struct console_link_events link_events = {
	.input_room = input_room,
	.input = take_input,
	.takes_input = takes_input,
	.deliver = deliver,
	.output_room = output_room,
	.connected = client_changed,
	.resized = console_size_changed,
};

/* The guest's end */

static size_t take_output(void *context, const void *bytes, size_t len)
{
	struct port *port = context;

	if (port->finishing.value == 0)
		return console_link_put(&port->link, bytes, len);
	if (port->finishing.value != port->console->table[port->id].output.token.value)
		return 0;
	return console_link_put_rest(&port->link, bytes, len);
}

static void take_emergency(void *context, uint8_t byte)
{
	struct console_device *console = context;

	console_link_put_last(&console->ports[0]->link, &byte, 1);
	console_link_flush(&console->ports[0]->link);
}

/*
 * Input may have arrived before the guest has booted. Linux drops input that its driver gets before
 * the driver is ready. With MULTIPORT a driver that is ready sends PORT_OPEN. Without MULTIPORT
 * there is no message, and the driver is ready soon after it has made its first buffers available.
 * So input waits for PORT_OPEN, but at most PATIENCE_NS after PORT_READY or the first buffers.
 */
#define PATIENCE_NS UINT64_C(1000000000)

static void begin_input(struct console_device *console)
{
	if (console->takes_input)
		return;
	console->takes_input = true;
	event_timer_set(&console->until_then, 0);
	wake_receive(console, 0);
}

static void on_patience_ended(struct event_timer *timer)
{
	begin_input(CONTAINER_OF(timer, struct console_device, until_then));
}

static void start_patience(struct console_device *console)
{
	console->timed = true;
	event_timer_set(&console->until_then, PATIENCE_NS);
}

/* Serves a turn of the console's receive queue while the driver is not ready. */
static int await_driver(struct console_device *console, unsigned int available)
{
	if (available == 0)
		return DEVICE_TURN_DONE;
	if (!console->timed)
		start_patience(console);
	return DEVICE_TURN_WAIT;
}

/* Tells the link that the guest takes no input. The link drops the input of clients that left. */
static void tell_room(struct console_device *console, uint32_t id)
{
	if (console->ports[id]->opened)
		console_link_room(&console->ports[id]->link);
}

static void on_event(void *context, uint32_t id, uint16_t event, uint16_t value)
{
	struct console_device *console = context;

	if (event != VIRTIO_CONSOLE_DEVICE_READY && value)
		wake_receive(console, id);
	if (event == VIRTIO_CONSOLE_PORT_OPEN && !value)
		tell_room(console, id);
	if (event == VIRTIO_CONSOLE_PORT_OPEN && value && id == 0)
		begin_input(console);
	if (event == VIRTIO_CONSOLE_PORT_READY && id == 0 && !console->takes_input)
		start_patience(console);
	console_wake_control(console);
}

static int receive(struct console_device *console, struct port *port, struct device_queue *queue)
{
	struct virtio_console_progress progress;
	int error;

	/* A removed port has no input. Its transmit queue keeps running, and completes buffers. */
	if (!port->opened)
		return DEVICE_TURN_WAIT;
	/* The port is closed in the guest. on_event() asks for a turn when the guest opens it. */
	if (port->id != 0 && !console->table[port->id].guest_open)
		return DEVICE_TURN_WAIT;
	error = virtio_console_receive(&console->console, port->id, &queue->virtq, &progress);
	queue->signal = progress.notify;
	if (progress.bytes)
		console_link_room(&port->link);
	if (error)
		return error;
	if (progress.more)
		return DEVICE_TURN_AGAIN;
	return virtio_console_input_is_empty(&port->input) ? DEVICE_TURN_WAIT : DEVICE_TURN_DONE;
}

/*
 * deliver() asks for a turn of the queue, and that turn handles kicks and errors. DELIVERIES limits
 * the calls of receive(), so chains without room for input can't keep the thread busy.
 */
#define DELIVERIES 8

static size_t deliver(struct console_link *link)
{
	struct port *port = from_link(link);
	struct console_device *console = port->console;
	uint32_t index, transmit;

	if (takes_input(link) && virtio_console_port_queues(&console->console, port->id, &index, &transmit) == 0 &&
	    console->running[index]) {
		struct device_queue *queue = console->running[index];

		for (int i = 0; i < DELIVERIES && receive(console, port, queue) == DEVICE_TURN_AGAIN; i++)
			;
		device_queue_signal(queue);
		device_queue_wake(queue);
	}
	return virtio_console_input_capacity(&port->input) - input_room(link);
}

/* Forgets the position in the chain that was in flight. */
static void forget_chain(struct console_device *console, uint32_t id)
{
	struct virtio_console_port_state state;

	if (virtio_console_save_port(&console->console, id, &state))
		return;
	state.in_flight = 0;
	state.head = 0;
	state.taken = 0;
	(void)!virtio_console_restore_port(&console->console, &state);
}

/*
 * Pops the chain that queue_drain() has unpopped, and continues at its kept position. The chain of
 * a new driver is transmitted from its beginning.
 */
static int pop_chain_again(struct console_device *console, struct port *port, struct virtio_queue *virtq)
{
	struct virtio_chain chain;
	int got = virtio_queue_pop(virtq, &chain);

	if (got == 1 && virtio_console_replay_transmit(&console->console, port->id, &chain) == 0)
		return 0;
	if (got == 1)
		got = virtio_queue_unpop(virtq, chain.token);
	/* The position is an earlier driver's: the queue is empty, or has another chain. */
	if (got >= 0)
		forget_chain(console, port->id);
	return got < 0 ? got : 0;
}

static int transmit(struct console_device *console, struct port *port, struct device_queue *queue)
{
	struct virtio_console_progress progress;
	int error = 0;

	if (console->table[port->id].output.restored)
		error = pop_chain_again(console, port, &queue->virtq);
	if (error)
		return error;
	error = virtio_console_transmit(&console->console, port->id, &queue->virtq, &progress);
	queue->signal = progress.notify;
	console_link_flush(&port->link);
	if (error)
		return error;
	if (progress.more)
		return DEVICE_TURN_AGAIN;
	return progress.blocked ? DEVICE_TURN_WAIT : DEVICE_TURN_DONE;
}

void console_take_old_output(struct console_device *console, uint32_t id)
{
	struct device_queue *queue = find_transmit(console, id);

	if (!queue)
		return;
	/* An error is ignored here, because the next turn finds it again. */
	(void)transmit(console, console->ports[id], queue);
	device_queue_signal(queue);
	device_queue_wake(queue);
}

static int serve_control(struct console_device *console, struct device_queue *queue)
{
	const bool to_driver = queue->index == VIRTIO_CONSOLE_CONTROL_RECEIVE_QUEUE;
	struct virtio_console_progress progress;
	int error;

	for (uint32_t id = 0; !to_driver && id < console->port_count; id++)
		if (console->table[id].awaits_ready)
			console_take_old_output(console, id);
	if (to_driver)
		error = virtio_console_control_receive(&console->console, &queue->virtq, &progress);
	else
		error = virtio_console_control_transmit(&console->console, &queue->virtq, &progress);
	queue->signal = progress.notify;
	if (error)
		return error;
	if (progress.more)
		return DEVICE_TURN_AGAIN;
	if (to_driver && !virtio_console_control_pending(&console->console))
		return DEVICE_TURN_WAIT;
	return DEVICE_TURN_DONE;
}

static bool is_control(uint32_t index)
{
	return index == VIRTIO_CONSOLE_CONTROL_RECEIVE_QUEUE || index == VIRTIO_CONSOLE_CONTROL_TRANSMIT_QUEUE;
}

/* Returns the number of the port that a data queue belongs to. */
static uint32_t port_of(uint32_t index)
{
	return index < VIRTIO_CONSOLE_CONTROL_RECEIVE_QUEUE ? 0 : index / 2 - 1;
}

/* Library calls need no `budget`: each pops at most as many chains as the queue has entries. */
static int queue_notify(struct device *device, struct device_queue *queue, unsigned int budget)
{
	struct console_device *console = console_from_device(device);
	const bool multiport = console->console.negotiated & virtio_feature_mask(VIRTIO_CONSOLE_F_MULTIPORT);
	const uint32_t index = queue->index;
	struct port *port;

	/* Without MULTIPORT there is only the first pair of queues. */
	if (index > 1 && !multiport)
		return DEVICE_TURN_WAIT;
	if (is_control(index))
		return serve_control(console, queue);
	port = console->ports[port_of(index)];
	if (index == 0 && !console->takes_input)
		return await_driver(console, budget);
	return index % 2 ? transmit(console, port, queue) : receive(console, port, queue);
}

/* Copies the rest of the chain in flight to the port's buffer, as far as the reserve has room. */
static void finish_chain(struct console_device *console, struct port *port, struct device_queue *queue)
{
	struct virtio_console_progress progress;

	port->finishing = console->table[port->id].output.token;
	/* After an error the chain may still be in flight. queue_drain() then unpops the chain. */
	(void)!virtio_console_transmit(&console->console, port->id, &queue->virtq, &progress);
	port->finishing.value = 0;
	queue->signal = queue->signal || progress.notify;
}

/*
 * Ends the chain that waits for room. The chain is unpopped if none of its bytes was accepted, or
 * if its rest does not fit the reserve. The library keeps the position after the accepted bytes.
 */
static void queue_drain(struct device *device, struct device_queue *queue)
{
	struct console_device *console = console_from_device(device);
	const uint32_t id = port_of(queue->index);
	const struct virtio_console_output *output = &console->table[id].output;
	struct virtio_console_port_state state;

	if (is_control(queue->index) || queue->index % 2 == 0 || output->token.value == 0)
		return;
	if (output->taken > 0)
		finish_chain(console, console->ports[id], queue);
	if (output->token.value == 0 || virtio_console_save_port(&console->console, id, &state) ||
	    virtio_queue_unpop(&queue->virtq, output->token))
		return;
	(void)!virtio_console_restore_port(&console->console, &state);
	if (state.taken == 0)
		forget_chain(console, id);
}

/* Forgets the driver. The next driver uses console->features. */
static void begin_driver(struct console_device *console)
{
	virtio_console_reset(&console->console);
	/* This can't fail, because the features are offered. */
	(void)!virtio_console_negotiate(&console->console, console->features & VIRTIO_DEVICE_TYPE_FEATURES);
	for (uint32_t id = 0; id < console->port_count; id++)
		tell_room(console, id);
}

static void reset(struct device *device)
{
	struct console_device *console = console_from_device(device);

	console->features = 0;
	virtio_console_reset(&console->console);
}

/* New features mean that there is a new driver. */
static int check_features(struct device *device, uint64_t features)
{
	struct console_device *console = console_from_device(device);

	if (features & VIRTIO_DEVICE_TYPE_FEATURES & ~console->console.offered)
		return VIRTIO_EINVAL;
	console->features = features;
	begin_driver(console);
	return 0;
}

/*
 * Linux reads the size of a console without MULTIPORT when the configuration space changes, and not
 * when its driver starts.
 */
static void tell_size(struct console_device *console)
{
	const uint64_t negotiated = console->console.negotiated;
	const struct virtio_console_port_options *options = &console->table[0].options;

	if ((negotiated & virtio_feature_mask(VIRTIO_CONSOLE_F_MULTIPORT)) ||
	    (options->cols == 0 && options->rows == 0))
		return;
	if (negotiated & virtio_feature_mask(VIRTIO_CONSOLE_F_SIZE))
		device_config_changed(&console->device);
}

/*
 * Called when the control transmit queue of a new driver starts. Queues that started earlier
 * belong to the new driver, too, and may have a chain in flight.
 */
static void forget_driver(struct console_device *console)
{
	struct virtio_console_port_state kept[CONSOLE_MAX_PORTS];
	const uint32_t what = VIRTIO_CONSOLE_PORT_PRESENT | VIRTIO_CONSOLE_PORT_IS_CONSOLE;

	for (uint32_t id = 0; id < console->port_count; id++) {
		struct device_queue *queue = find_transmit(console, id);

		if (queue)
			queue_drain(&console->device, queue);
		/* This can't fail, because the port exists in the table. */
		(void)!virtio_console_save_port(&console->console, id, &kept[id]);
		kept[id].flags &= (uint8_t)what;
		kept[id].pending = 0;
	}
	begin_driver(console);
	for (uint32_t id = 0; id < console->port_count; id++) {
		if (!find_transmit(console, id))
			continue;
		(void)!virtio_console_restore_port(&console->console, &kept[id]);
		wake_transmit(console, id);
	}
}

/*
 * The front end does not report a reboot of the guest. After a reboot the queues begin at index 0.
 */
static int queue_start(struct device *device, struct device_queue *queue)
{
	struct console_device *console = console_from_device(device);
	const bool is_new = device_queue_is_new(queue);

	if (is_new && queue->index == VIRTIO_CONSOLE_CONTROL_TRANSMIT_QUEUE)
		forget_driver(console);
	/* The control queue may start later, or not at all, so this queue forgets its chain. */
	if (is_new && !is_control(queue->index) && queue->index % 2 == 1)
		forget_chain(console, port_of(queue->index));
	if (queue->index == 0) {
		/* Wait for the driver if no input was delivered yet, even after an update. */
		console->takes_input = virtio_queue_next_avail(&queue->virtq) != 0;
		console->timed = false;
		event_timer_set(&console->until_then, 0);
	}
	if (queue->index == 0 && !console->takes_input) {
		tell_room(console, 0);
		tell_size(console);
	}
	console->running[queue->index] = queue;
	return 0;
}

static void queue_stop(struct device *device, struct device_queue *queue)
{
	console_from_device(device)->running[queue->index] = NULL;
}

static void config_read(struct device *device, uint32_t offset, void *data, uint32_t len)
{
	virtio_console_config_read(&console_from_device(device)->console, offset, data, len);
}

static int config_write(struct device *device, uint32_t offset, const void *data, uint32_t len)
{
	return virtio_console_config_write(&console_from_device(device)->console, offset, data, len) ? 0 : -1;
}

/* Life cycle */

static void close_ports(struct device *device)
{
	struct console_device *console = console_from_device(device);

	for (uint32_t i = 0; i < console->port_count; i++) {
		struct console_link *link = &console->ports[i]->link;

		/* The state file contains the output, and a later process writes it. */
		if (device_is_in_file(device))
			console_output_take(&link->output, link->output.used);
		if (console->ports[i]->opened)
			console_link_close(link);
		console->ports[i]->opened = false;
	}
}

/* Undoes a part of open_all(). */
static void abandon(struct console_device *console)
{
	close_ports(&console->device);
	event_timer_close(&console->until_then);
}

static void close_all(struct device *device)
{
	struct console_device *console = console_from_device(device);

	if (console->commands.path)
		console_control_close(&console->commands);
	abandon(console);
}

static int open_all(struct device *device, struct event_loop *loop)
{
	struct console_device *console = console_from_device(device);

	console->loop = loop;
	if (event_timer_open(&console->until_then, loop, on_patience_ended)) {
		fprintf(stderr, "%s: %s\n", console->name, strerror(errno));
		return -1;
	}
	for (uint32_t i = 0; i < console->port_count; i++) {
		struct port *port = console->ports[i];

		/* The operator has removed this port in the old process. */
		if (inherited.count > 0 && !console_link_was_open(&port->link)) {
			bool room;

			(void)!virtio_console_remove_port(&console->console, port->id, &room);
			continue;
		}
		port->opened = console_link_open(&port->link, loop) == 0;
		if (!port->opened) {
			abandon(console);
			return -1;
		}
	}
	if (console->commands.path && console_control_open(&console->commands, loop)) {
		abandon(console);
		return -1;
	}
	fflush(stdout);
	console->is_open = true;
	return 0;
}

static void refresh(struct device *device)
{
	struct console_device *console = console_from_device(device);

	for (uint32_t i = 0; i < console->port_count; i++)
		if (console->ports[i]->opened)
			console_link_refresh(&console->ports[i]->link);
}

static void tell_ports(struct console_device *console, bool attached)
{
	console->is_attached = attached;
	for (uint32_t i = 0; i < console->port_count; i++)
		if (console->ports[i]->opened)
			console_link_attached(&console->ports[i]->link, attached);
}

static void attached(struct device *device)
{
	tell_ports(console_from_device(device), true);
}

static void detached(struct device *device)
{
	tell_ports(console_from_device(device), false);
}

struct virtio_console_port_options console_port_options(struct port *port)
{
	return (struct virtio_console_port_options){
		.console = port->id == 0,
		.name = port->name,
		.name_bytes = port->name ? (uint32_t)strlen(port->name) : 0,
		.cols = port->link.options.cols,
		.rows = port->link.options.rows,
		.input = &port->input,
		.sink = take_output,
		.sink_context = port,
		.receive_segments = port->receive,
		.receive_capacity = SEGMENTS,
		.transmit_segments = port->transmit,
		.transmit_capacity = SEGMENTS,
	};
}

/* Creation */

struct console_counts console_count(const struct console_device *console)
{
	struct console_counts n = console->before;

	for (uint32_t i = 0; i < console->port_count; i++) {
		struct virtio_console_port_stats s;

		if (virtio_console_get_port_stats(&console->console, i, &s))
			continue;
		n.in += s.received;
		n.out += s.transmitted;
		n.input_dropped += s.dropped;
		n.faults += console_port_faults(&s);
	}
	n.faults += console->console.stats.misdirected + console->console.stats.malformed;
	return n;
}

static void destroy(struct device *device)
{
	struct console_device *console = console_from_device(device);

	for (uint32_t i = 0; i < console->port_count; i++)
		free(console->ports[i]);
	free(console);
}

static const struct device_ops ops = {
	.open = open_all,
	.close = close_all,
	.reset = reset,
	.attached = attached,
	.detached = detached,
	.check_features = check_features,
	.config_read = config_read,
	.config_write = config_write,
	.refresh = refresh,
	.queue_start = queue_start,
	.queue_notify = queue_notify,
	.queue_drain = queue_drain,
	.queue_stop = queue_stop,
	.save = console_save,
	.restore = console_restore,
	.print_summary = console_print_summary,
	.destroy = destroy,
};

static int add_port(struct console_device *console, const struct console_options *options, uint32_t id)
{
	struct port *port = calloc(1, sizeof *port);
	struct virtio_console_port_options table;

	if (!port)
		return -1;
	console->ports[console->port_count++] = port;
	port->console = console;
	port->id = id;
	port->name = options->ports[id].name;
	port->link.events = &link_events;
	port->link.options = options->ports[id].link;
	port->link.name = port->name ? port->name : console->device.name;
	snprintf(port->link.handle, sizeof port->link.handle, "%.150s %u", console->name, (unsigned int)id);
	port->link.drops = id == 0 && !port->link.options.waits;
	if (virtio_console_input_init(&port->input, port->input_bytes, sizeof port->input_bytes))
		return -1;
	table = console_port_options(port);
	return virtio_console_add_port(&console->console, id, &table) ? -1 : 0;
}

/* Returns whether the console has a size, or may get a size. */
static bool has_size(const struct console_options *options)
{
	const struct console_link_options *link = &options->ports[0].link;

	return link->ops == &console_tty_ops || link->ops == &console_pty_ops || link->cols != 0 || options->control;
}

static int fill_device(struct console_device *console, const struct console_options *options)
{
	const struct virtio_console_options all = {
		.ports = console->table,
		.port_count = options->port_count,
		.multiport = options->multiport,
		.size = has_size(options),
		.event = on_event,
		.emergency = take_emergency,
		.context = console,
		.control_segments = console->control,
		.control_capacity = SEGMENTS,
	};

	if (virtio_console_init(&console->console, &all))
		return -1;
	console->commands = (struct console_control){
		.name = console->name,
		.path = options->control,
		.access = options->control_access,
		.command = console_obey,
	};
	console->device = (struct device){
		.ops = &ops,
		.name = console->name,
		.features = virtio_console_offered(&console->console),
		.config_size = VIRTIO_CONSOLE_CONFIG_BYTES,
		.queue_count = (uint16_t)virtio_console_queue_count(&console->console),
		.max_queue_size = VIRTIO_QUEUE_MAX_SIZE,
		.threads = DEVICE_ONE_THREAD,
	};
	for (uint32_t id = 0; id < options->port_count; id++)
		if (add_port(console, options, id))
			return -1;
	return 0;
}

static struct device *make_device(const struct console_options *options)
{
	static const char prefix[] = "console ";
	struct console_device *console = calloc(1, sizeof *console + sizeof prefix + strlen(options->socket));

	if (console) {
		sprintf(console->name, "%s%s", prefix, options->socket);
		if (fill_device(console, options) == 0)
			return &console->device;
		destroy(&console->device);
	}
	(void)option_error("--console", "out of memory");
	return NULL;
}

static struct device *create(char *spec, const char **socket)
{
	struct console_options options;

	if (console_options_parse(spec, &options))
		return NULL;
	*socket = options.socket;
	return make_device(&options);
}

const struct device_type console_device_type = {
	.option = "console",
	.synopsis = "BACKEND,socket=PATH[,OPTION...]",
	.print_help = console_options_help,
	.own_access = true,
	.create = create,
};
