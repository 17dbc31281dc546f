/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Handles the messages of QEMU. */
#include "proxy.h"

#include "log.h"

#include <unistd.h>
#include <virtio/endian.h>

static int end(struct proxy *proxy, const char *reason)
{
	if (reason) {
		log_line("QEMU: %s", reason);
		proxy->failed = true;
	}
	event_loop_remove(proxy->loop, &proxy->socket);
	proxy->loop->stop = true;
	return -1;
}

static int answer(struct proxy *proxy, uint64_t value)
{
	return proxy_reply(proxy->socket.fd, value) ? end(proxy, "can't send a reply") : 0;
}

/*
 * Gives the devices the new memory first, so that nothing uses the old memory when it is unmapped.
 */
static int set_memory(struct proxy *proxy, const struct proxy_message *message)
{
	const char *reason;
	struct guest_ram *ram = guest_ram_map(&message->payload.memory, message->in.fds, message->in.fd_count, &reason);

	/*
	 * End the connection. This message has no reply that could refuse it, and the guest no
	 * longer has the old memory.
	 */
	if (!ram)
		return end(proxy, reason);
	machine_set_memory(proxy->machine, &ram->map);
	guest_ram_free(proxy->ram);
	proxy->ram = ram;
	return 0;
}

/*
 * Returns whether an access lies in the page of registers, and stores the offset from the start of
 * the page.
 */
static bool find_offset(const struct proxy *proxy, const struct proxy_bar_access *bar, uint32_t *offset)
{
	const uint64_t from_page = bar->addr - pci_function_address(&proxy->pci);

	if (!bar->is_memory || (bar->size != 1 && bar->size != 2 && bar->size != 4 && bar->size != 8))
		return false;
	if (from_page > PCI_FUNCTION_PAGE - bar->size)
		return false;
	*offset = (uint32_t)from_page;
	return true;
}

static int read_bar(struct proxy *proxy, const struct proxy_bar_access *bar)
{
	uint8_t data[8] = { 0 };
	uint32_t offset;

	if (!find_offset(proxy, bar, &offset))
		return answer(proxy, PROXY_NOTHING);
	machine_read(proxy->machine, offset, data, bar->size);
	return answer(proxy, virtio_get_le64(data));
}

static int write_bar(struct proxy *proxy, const struct proxy_bar_access *bar)
{
	uint8_t data[8];
	uint32_t offset;

	virtio_put_le64(data, bar->value);
	if (find_offset(proxy, bar, &offset))
		machine_write(proxy->machine, offset, data, bar->size);
	return answer(proxy, 0);
}

static int handle(struct proxy *proxy, const struct proxy_message *message)
{
	const struct proxy_config_access *config = &message->payload.config;

	switch (message->header.command) {
	case PROXY_SET_MEMORY:
		return set_memory(proxy, message);
	case PROXY_CONFIG_WRITE:
		pci_function_write(&proxy->pci, config->addr, config->len, config->value);
		return answer(proxy, 0);
	case PROXY_CONFIG_READ:
		return answer(proxy, pci_function_read(&proxy->pci, config->addr, config->len));
	case PROXY_BAR_WRITE:
		return write_bar(proxy, &message->payload.bar);
	case PROXY_BAR_READ:
		return read_bar(proxy, &message->payload.bar);
	case PROXY_RESET:
		pci_function_reset(&proxy->pci);
		machine_reset(proxy->machine);
		return answer(proxy, 0);
	default:
		/*
		 * Ignore PROXY_SET_IRQ, because its descriptors for interrupts are useless under
		 * TCG.
		 */
		return 0;
	}
}

static void on_message(struct event_source *source)
{
	struct proxy *proxy = CONTAINER_OF(source, struct proxy, socket);
	const char *reason;
	const int got = proxy_receive(source->fd, &proxy->message, &reason);

	if (got < 0)
		(void)end(proxy, reason);
	else if (got > 0 && handle(proxy, &proxy->message) == 0)
		proxy_clear(&proxy->message);
}

int proxy_open(struct proxy *proxy, struct event_loop *loop, int socket, struct machine *machine)
{
	*proxy = (struct proxy){
		.socket = { .fd = socket, .ready = on_message },
		.loop = loop,
		.machine = machine,
	};
	pci_function_reset(&proxy->pci);
	return event_loop_add(loop, &proxy->socket, EVENT_WHILE_READABLE);
}

void proxy_close(struct proxy *proxy)
{
	machine_set_memory(proxy->machine, NULL);
	guest_ram_free(proxy->ram);
	proxy->ram = NULL;
	proxy_clear(&proxy->message);
	close(proxy->socket.fd);
}
