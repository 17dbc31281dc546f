/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The device: offered and negotiated features, and the configuration space. */
#include "console_internal.h"

#include <virtio/features.h>

#define CONFIG_OFFSET(field) offsetof(struct virtio_console_config, field)

static int check_options(const struct virtio_console_options *options)
{
	if (!options->ports || options->port_count == 0 || options->port_count > VIRTIO_CONSOLE_MAX_PORTS)
		return VIRTIO_EINVAL;
	if (!options->multiport)
		return options->port_count == 1 ? 0 : VIRTIO_EINVAL;
	return options->control_segments && options->control_capacity != 0 ? 0 : VIRTIO_EINVAL;
}

int virtio_console_init(struct virtio_console *console, const struct virtio_console_options *options)
{
	const int error = check_options(options);

	if (error)
		return error;
	*console = (struct virtio_console){ .options = *options };
	/* Linux accepts RESIZE only with SIZE, although the message belongs to MULTIPORT. */
	if (options->size || options->multiport)
		console->offered |= CONSOLE_FEATURE(SIZE);
	if (options->multiport)
		console->offered |= CONSOLE_FEATURE(MULTIPORT);
	if (options->emergency)
		console->offered |= CONSOLE_FEATURE(EMERG_WRITE);
	for (uint32_t id = 0; id < options->port_count; id++)
		options->ports[id] = (struct virtio_console_port){ .present = false };
	return 0;
}

uint64_t virtio_console_offered(const struct virtio_console *console)
{
	return console->offered;
}

int virtio_console_negotiate(struct virtio_console *console, uint64_t features)
{
	features &= VIRTIO_DEVICE_TYPE_FEATURES;
	if (features & ~console->offered)
		return VIRTIO_EINVAL;
	console->negotiated = features;
	return 0;
}

void virtio_console_reset(struct virtio_console *console)
{
	console->negotiated = 0;
	console->driver_ready = false;
	for (uint32_t id = 0; id < console->options.port_count; id++) {
		struct virtio_console_port *port = &console->options.ports[id];

		port->flags &= VIRTIO_CONSOLE_PORT_CONNECTED;
		port->pending = 0;
		port->output = (struct virtio_console_output){ .taken = 0 };
		console_store(&port->guest_open, 0);
		console_store(&port->awaits_ready, 0);
	}
}

static void build_config(const struct virtio_console *console, uint8_t *config)
{
	const struct virtio_console_port *first = console_port(console, 0);

	memset(config, 0, VIRTIO_CONSOLE_CONFIG_BYTES);
	if ((console->offered & CONSOLE_FEATURE(SIZE)) && first) {
		virtio_put_le16(config + CONFIG_OFFSET(cols), first->options.cols);
		virtio_put_le16(config + CONFIG_OFFSET(rows), first->options.rows);
	}
	if (console->offered & CONSOLE_FEATURE(MULTIPORT))
		virtio_put_le32(config + CONFIG_OFFSET(max_nr_ports), console->options.port_count);
}

void virtio_console_config_read(const struct virtio_console *console, uint64_t offset, void *data, size_t len)
{
	uint8_t config[VIRTIO_CONSOLE_CONFIG_BYTES];
	size_t part;

	if (len == 0)
		return;
	memset(data, 0, len);
	if (offset >= sizeof config)
		return;
	build_config(console, config);
	part = sizeof config - (size_t)offset;
	memcpy(data, config + offset, len < part ? len : part);
}

bool virtio_console_config_write(const struct virtio_console *console, uint64_t offset, const void *data, size_t len)
{
	const uint64_t field = CONFIG_OFFSET(emerg_wr);

	if (!(console->offered & CONSOLE_FEATURE(EMERG_WRITE)))
		return false;
	/* The low byte of emerg_wr is its first byte (virtio 1.4, 5.3.5.1). */
	if (offset > field || field - offset >= len)
		return false;
	console->options.emergency(console->options.context, ((const uint8_t *)data)[field - offset]);
	return true;
}
