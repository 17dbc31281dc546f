/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The console device: a terminal of the guest's, and named ports beside it. console_link.h has the host's ends.
 *
 * What the guest can do: write without end, and leave its receive queues empty. A console's output goes to a bounded
 * buffer that drops its oldest bytes, because Linux waits for a console's transmit buffer with interrupts off. Other ports
 * are throttled: their transmit chain waits, with its place kept. Input is read only as far as the port's buffer has room.
 *
 * virtio 1.4, 5.3
 */
#include "console_link.h"
#include "device.h"
#include "log.h"
#include "options.h"
#include "vhost_user.h"

#include <grp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <virtio/console.h>
#include <virtio/features.h>

#define BUFFERS 256                                     /* of a chain; no driver sends more */
#define SEGMENTS (2 * BUFFERS + VHOST_USER_MAX_REGIONS) /* a buffer may cross from one region to the next */
#define MAX_PORTS 32
#define MAX_QUEUES (2 * MAX_PORTS + 2)

struct port {
	struct console_device *console;
	uint32_t id;
	const char *name; /* NULL for the console */
	bool opened;
	struct console_link link;
	struct virtio_console_input input;
	uint8_t input_bytes[VIRTIO_CONSOLE_INPUT_DEFAULT];
	struct virtio_segment receive[SEGMENTS], transmit[SEGMENTS];
};

struct console_device {
	struct device device;
	struct virtio_console console;
	struct virtio_console_port table[MAX_PORTS];
	struct virtio_segment control[SEGMENTS];
	struct device_queue *running[MAX_QUEUES];
	uint64_t features; /* that the driver has accepted */
	bool is_open;
	uint32_t port_count;
	struct port *ports[MAX_PORTS];
	char name[];
};

static struct console_device *from_device(struct device *device)
{
	return CONTAINER_OF(device, struct console_device, device);
}

static void wake_queue(struct console_device *console, uint32_t index)
{
	if (console->running[index])
		device_queue_wake(console->running[index]);
}

static uint32_t receive_queue(const struct port *port)
{
	return port->id == 0 ? 0 : 2 * port->id + 2;
}

static void wake_control(struct console_device *console)
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

/* No more comes than there is room for. */
static void take_input(struct console_link *link, const uint8_t *bytes, size_t len)
{
	struct port *port = from_link(link);
	bool wake = false;

	(void)!virtio_console_input_enqueue(&port->input, bytes, len, &wake);
	wake_queue(port->console, receive_queue(port));
}

static void output_room(struct console_link *link)
{
	struct port *port = from_link(link);

	wake_queue(port->console, receive_queue(port) + 1);
}

static void client_changed(struct console_link *link, bool is)
{
	struct port *port = from_link(link);
	struct virtio_console *console = &port->console->console;
	bool room;

	/* They can't fail: the port is there, and the link says when a client comes or leaves. */
	if (is)
		(void)!virtio_console_connect(console, port->id);
	else
		(void)!virtio_console_disconnect(console, port->id, &room);
	wake_control(port->console);
}

static void size_changed(struct console_link *link, uint16_t cols, uint16_t rows)
{
	struct port *port = from_link(link);
	struct virtio_console *console = &port->console->console;

	/* A port that is no console has no size. */
	if (virtio_console_resize(console, port->id, cols, rows) == 1 && port->console->is_open)
		device_config_changed(&port->console->device);
	wake_control(port->console);
}

static const struct console_link_events link_events = {
	.input_room = input_room,
	.input = take_input,
	.output_room = output_room,
	.connected = client_changed,
	.resized = size_changed,
};

/* The guest's end */

static size_t take_output(void *context, const void *bytes, size_t len)
{
	return console_link_put(&((struct port *)context)->link, bytes, len);
}

static void take_emergency(void *context, uint8_t byte)
{
	struct console_device *console = context;

	(void)console_link_put(&console->ports[0]->link, &byte, 1);
	console_link_flush(&console->ports[0]->link);
}

static void on_event(void *context, uint32_t id, uint16_t event, uint16_t value)
{
	struct console_device *console = context;

	if (event == VIRTIO_CONSOLE_PORT_OPEN && value)
		wake_queue(console, receive_queue(console->ports[id]));
	wake_control(console);
}

static int receive(struct console_device *console, struct port *port, struct device_queue *queue)
{
	struct virtio_console_progress progress;
	const int error = virtio_console_receive(&console->console, port->id, &queue->virtq, &progress);

	queue->signal = progress.notify;
	if (progress.bytes)
		console_link_room(&port->link);
	if (error)
		return error;
	if (progress.more)
		return DEVICE_TURN_AGAIN;
	return virtio_console_input_is_empty(&port->input) ? DEVICE_TURN_WAIT : DEVICE_TURN_DONE;
}

/* The place in the chain that was in flight. */
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
 * A chain that was taken back by queue_drain() is the next one in the ring. Another driver has another one, and starts
 * from the beginning.
 */
static int take_chain_again(struct console_device *console, struct port *port, struct virtio_queue *virtq)
{
	struct virtio_chain chain;
	int got = virtio_queue_pop(virtq, &chain);

	if (got == 1 && virtio_console_replay_transmit(&console->console, port->id, &chain) == 0)
		return 0;
	if (got == 1)
		got = virtio_queue_unpop(virtq, chain.token);
	/* Without a chain the queue has been emptied by another driver. */
	if (got >= 0)
		forget_chain(console, port->id);
	return got < 0 ? got : 0;
}

static int transmit(struct console_device *console, struct port *port, struct device_queue *queue)
{
	struct virtio_console_progress progress;
	int error = 0;

	if (console->table[port->id].output.restored)
		error = take_chain_again(console, port, &queue->virtq);
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

static int serve_control(struct console_device *console, struct device_queue *queue)
{
	const bool to_driver = queue->index == VIRTIO_CONSOLE_CONTROL_RECEIVE_QUEUE;
	struct virtio_console_progress progress;
	int error;

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

/* The library's calls take as many chains as a queue has at most. */
static int queue_notify(struct device *device, struct device_queue *queue, unsigned int budget)
{
	struct console_device *console = from_device(device);
	const bool multiport = console->console.negotiated & virtio_feature_mask(VIRTIO_CONSOLE_F_MULTIPORT);
	const uint32_t index = queue->index, pair = index / 2;
	struct port *port;

	(void)budget;
	/* Without MULTIPORT there is only the first pair of queues. */
	if (pair > 0 && !multiport)
		return DEVICE_TURN_WAIT;
	if (pair == 1)
		return serve_control(console, queue);
	port = console->ports[pair > 0 ? pair - 1 : 0];
	return index % 2 ? transmit(console, port, queue) : receive(console, port, queue);
}

/* A transmit chain that waits for room goes back to the ring; the library remembers its place. */
static void queue_drain(struct device *device, struct device_queue *queue)
{
	struct console_device *console = from_device(device);
	const uint32_t pair = queue->index / 2, id = pair > 0 ? pair - 1 : 0;
	const struct virtio_console_port *port = &console->table[id];
	struct virtio_console_port_state state;

	if (pair == 1 || queue->index % 2 == 0 || port->output.token.value == 0)
		return;
	if (virtio_console_save_port(&console->console, id, &state) == 0 &&
	    virtio_queue_unpop(&queue->virtq, port->output.token) == 0)
		(void)!virtio_console_restore_port(&console->console, &state);
}

static int negotiate(struct console_device *console)
{
	return virtio_console_negotiate(&console->console, console->features & ((UINT64_C(1) << 24) - 1));
}

static void reset(struct device *device)
{
	struct console_device *console = from_device(device);

	console->features = 0;
	virtio_console_reset(&console->console);
}

static int check_features(struct device *device, uint64_t features)
{
	struct console_device *console = from_device(device);
	const uint64_t before = console->features;

	console->features = features;
	if (negotiate(console) == 0)
		return 0;
	console->features = before;
	return VIRTIO_EINVAL;
}

/* The front end says nothing of a guest that has booted anew. Its driver begins with an empty control queue. */
static int queue_start(struct device *device, struct device_queue *queue)
{
	struct console_device *console = from_device(device);

	if (queue->index == VIRTIO_CONSOLE_CONTROL_TRANSMIT_QUEUE && virtio_queue_next_avail(&queue->virtq) == 0) {
		virtio_console_reset(&console->console);
		(void)!negotiate(console);
	}
	/* Without control queues nothing else tells a new driver. */
	if (queue->index == 1 && virtio_queue_next_avail(&queue->virtq) == 0 && console->table[0].output.restored)
		forget_chain(console, 0);
	console->running[queue->index] = queue;
	return 0;
}

static void queue_stop(struct device *device, struct device_queue *queue)
{
	from_device(device)->running[queue->index] = NULL;
}

static void config_read(struct device *device, uint32_t offset, void *data, uint32_t len)
{
	virtio_console_config_read(&from_device(device)->console, offset, data, len);
}

static int config_write(struct device *device, uint32_t offset, const void *data, uint32_t len)
{
	return virtio_console_config_write(&from_device(device)->console, offset, data, len) ? 0 : -1;
}

/* Life cycle */

static void close_ports(struct device *device)
{
	struct console_device *console = from_device(device);

	for (uint32_t i = 0; i < console->port_count; i++)
		if (console->ports[i]->opened)
			console_link_close(&console->ports[i]->link);
}

static int open_ports(struct device *device, struct event_loop *loop)
{
	struct console_device *console = from_device(device);

	for (uint32_t i = 0; i < console->port_count; i++) {
		struct port *port = console->ports[i];

		port->opened = console_link_open(&port->link, loop) == 0;
		if (port->opened)
			continue;
		close_ports(device);
		return -1;
	}
	fflush(stdout);
	console->is_open = true;
	return 0;
}

static void refresh(struct device *device)
{
	struct console_device *console = from_device(device);

	for (uint32_t i = 0; i < console->port_count; i++)
		console_link_refresh(&console->ports[i]->link);
}

static void tell_ports(struct console_device *console, bool attached)
{
	for (uint32_t i = 0; i < console->port_count; i++)
		console_link_attached(&console->ports[i]->link, attached);
}

static void attached(struct device *device)
{
	tell_ports(from_device(device), true);
}

static void detached(struct device *device)
{
	tell_ports(from_device(device), false);
}

static void print_summary(const struct device *device)
{
	const struct console_device *console = (const struct console_device *)(const void *)device;
	uint64_t in = 0, out = 0, dropped_in = 0, dropped_out = 0, faults = device->ring_faults;

	for (uint32_t i = 0; i < console->port_count; i++) {
		const struct virtio_console_port_stats *s = &console->table[i].stats;

		in += s->received;
		out += s->transmitted;
		dropped_in += s->dropped;
		dropped_out += console->ports[i]->link.output.dropped;
		faults +=
			s->receive_misdirected + s->receive_malformed + s->transmit_misdirected + s->transmit_malformed;
	}
	faults += console->console.stats.misdirected + console->console.stats.malformed;
	printf("%s: %" PRIu64 " bytes in, %" PRIu64 " bytes out, %" PRIu64 " bytes of input dropped, %" PRIu64
	       " bytes of output dropped, %" PRIu64 " faults\n",
	       device->name, in, out, dropped_in, dropped_out, faults);
}

static void destroy(struct device *device)
{
	struct console_device *console = from_device(device);

	for (uint32_t i = 0; i < console->port_count; i++)
		free(console->ports[i]);
	free(console);
}

static const struct device_ops ops = {
	.open = open_ports,
	.close = close_ports,
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
	.print_summary = print_summary,
	.destroy = destroy,
};

/* Command line */

struct console_options {
	const char *socket;
	bool multiport;
	uint32_t port_count;
	struct {
		const char *name;
		struct console_link_options link;
	} ports[MAX_PORTS];
};

static int add_port(struct console_device *console, const struct console_options *options, uint32_t id)
{
	struct port *port = calloc(1, sizeof *port);
	const struct virtio_console_port_options table = {
		.console = id == 0,
		.name = options->ports[id].name,
		.name_bytes = options->ports[id].name ? (uint32_t)strlen(options->ports[id].name) : 0,
		.input = port ? &port->input : NULL,
		.sink = take_output,
		.sink_context = port,
		.receive_segments = port ? port->receive : NULL,
		.receive_capacity = SEGMENTS,
		.transmit_segments = port ? port->transmit : NULL,
		.transmit_capacity = SEGMENTS,
	};

	if (!port)
		return -1;
	console->ports[console->port_count++] = port;
	port->console = console;
	port->id = id;
	port->name = table.name;
	port->link.events = &link_events;
	port->link.options = options->ports[id].link;
	port->link.name = port->name ? port->name : console->device.name;
	port->link.drops = id == 0 && !port->link.options.waits;
	if (virtio_console_input_init(&port->input, port->input_bytes, sizeof port->input_bytes))
		return -1;
	return virtio_console_add_port(&console->console, id, &table) ? -1 : 0;
}

static int fill_device(struct console_device *console, const struct console_options *options)
{
	const struct virtio_console_options all = {
		.ports = console->table,
		.port_count = options->port_count,
		.multiport = options->multiport,
		.size = options->ports[0].link.ops == &console_tty_ops,
		.event = on_event,
		.emergency = take_emergency,
		.context = console,
		.control_segments = console->control,
		.control_capacity = SEGMENTS,
	};

	if (virtio_console_init(&console->console, &all))
		return -1;
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

static int parse_port(struct console_options *options, char *value)
{
	char *spec = strchr(value, ':');

	if (!spec || spec == value)
		return option_error(value, "not NAME:BACKEND");
	*spec++ = '\0';
	if (strlen(value) > VIRTIO_CONSOLE_NAME_MAX)
		return option_error(value, "the name of a port is longer than 256 bytes");
	if (options->port_count == MAX_PORTS)
		return option_error(value, "too many ports");
	for (uint32_t i = 1; i < options->port_count; i++)
		if (strcmp(options->ports[i].name, value) == 0)
			return option_error(value, "two ports have this name");
	options->ports[options->port_count].name = value;
	options->multiport = true;
	return console_link_parse(spec, &options->ports[options->port_count++].link);
}

static int parse_mode(const char *value, struct console_link_options *link)
{
	char *end;
	const unsigned long mode = strtoul(value, &end, 8);

	if (link->ops != &console_socket_ops)
		return option_error(value, "only unix=PATH has a mode");
	if (*value < '0' || *value > '7' || *end || mode > 0777)
		return option_error(value, "not an octal mode up to 777");
	link->access.mode = (mode_t)mode;
	link->access.has_mode = true;
	return 0;
}

static int parse_group(const char *value, struct console_link_options *link)
{
	const struct group *group = getgrnam(value);
	uint64_t number;

	if (link->ops != &console_socket_ops)
		return option_error(value, "only unix=PATH has a group");
	if (!group && option_number(value, 0, UINT32_MAX - 1, &number))
		return option_error(value, "no such group");
	link->access.group = group ? group->gr_gid : (gid_t)number;
	link->access.has_group = true;
	return 0;
}

static int parse_full(const char *value, struct console_options *options)
{
	if (options->port_count > 1)
		return option_error(value, "full belongs to the console, in front of the ports");
	options->ports[0].link.waits = strcmp(value, "wait") == 0;
	if (!options->ports[0].link.waits && strcmp(value, "drop") != 0)
		return option_error(value, "full is drop or wait");
	return 0;
}

static int take_option(void *context, const char *name, char *value)
{
	struct console_options *options = context;
	struct console_link_options *last = &options->ports[options->port_count - 1].link;

	if (strcmp(name, "socket") == 0) {
		options->socket = value;
		return 0;
	}
	if (strcmp(name, "port") == 0)
		return parse_port(options, value);
	if (strcmp(name, "multiport") == 0)
		return option_switch(name, value, &options->multiport);
	if (strcmp(name, "mode") == 0)
		return parse_mode(value, last);
	if (strcmp(name, "group") == 0)
		return parse_group(value, last);
	if (strcmp(name, "full") == 0)
		return parse_full(value, options);
	if (strcmp(name, "escape") == 0)
		return console_tty_escape(value, last);
	if (strcmp(name, "link") != 0)
		return option_error(name, "unknown option of --console");
	if (last->ops != &console_pty_ops)
		return option_error(value, "only a pty has a link");
	last->symlink = value;
	return 0;
}

/* The first piece is the console's backend, which other options may belong to. */
static struct device *create(char *spec, const char **socket)
{
	struct console_options options = { .port_count = 1 };
	char *rest = strchr(spec, ',');

	if (rest)
		*rest++ = '\0';
	if (console_link_parse(spec, &options.ports[0].link) || options_parse_pairs(rest, take_option, &options))
		return NULL;
	if (!options.socket || !*options.socket) {
		(void)option_error("--console", "no socket=PATH");
		return NULL;
	}
	if (!options.multiport && options.port_count > 1) {
		(void)option_error("multiport=off", "a port needs it on");
		return NULL;
	}
	*socket = options.socket;
	return make_device(&options);
}

static void print_help(void)
{
	fputs("  --console BACKEND,...  a terminal of the guest's, /dev/hvc0 in Linux. BACKEND is\n"
	      "                     tty        this terminal, or what stdin and stdout are. It is\n"
	      "                                raw while a virtual machine uses it. The guest\n"
	      "                                learns its size\n"
	      "                     pty        a pseudo-terminal, whose name is printed. Output\n"
	      "                                waits there for a reader\n"
	      "                     unix=PATH  a socket file for one client at a time. A second\n"
	      "                                client gets one line that says so, and is closed\n"
	      "                     file=PATH  output is appended to a regular file, which is\n"
	      "                                opened again on SIGHUP; there is no input\n"
	      "      socket=PATH    as above\n"
	      "      link=PATH      a symbolic link to the pty that was named last\n"
	      "      escape=KEY     of tty: KEY and then q ends the daemon, and KEY twice is one for\n"
	      "                     the guest; ^] (Ctrl-]) by default, or none\n"
	      "      mode=OCTAL     permissions of the socket file that was named last\n"
	      "      group=GROUP    its group, a name or a number; both before a client can connect\n"
	      "      full=wait      the guest waits when 64 KiB of the console's output have not been\n"
	      "                     read, and nothing is dropped. Linux then spins with interrupts\n"
	      "                     off, so that the whole guest stands still; drop by default\n"
	      "      port=NAME:BACKEND  one more port, up to 31: /dev/virtio-ports/NAME with udev\n"
	      "      multiport=on   offers the feature without another port. It is offered with\n"
	      "                     port=. Linux registers such a console late: the first output\n"
	      "                     of init is lost\n"
	      "    The last 64 KiB of a console's output that nobody has read are kept for the next\n"
	      "    client; older bytes are dropped and counted. Other ports are throttled. What a\n"
	      "    client of a socket has sent is dropped when the client leaves before the guest\n"
	      "    has read it.\n"
	      "    Guests: Linux before 6.15, unless the correction was taken over, swaps rows and\n"
	      "    columns of the message that tells a size under multiport; without multiport the\n"
	      "    size is right. Another driver of Linux's may have taken hvc0, as on Xen or POWER:\n"
	      "    then this console is hvc1. systemd asks the terminal questions when it starts,\n"
	      "    and waits a while if nobody answers: the kernel parameter\n"
	      "    systemd.tty.term.hvc0=dumb avoids that.\n",
	      stdout);
}

const struct device_type console_device_type = {
	.option = "console",
	.synopsis = "BACKEND,socket=PATH[,OPTION...]",
	.print_help = print_help,
	.create = create,
};
