/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The driver and the device exchange messages about ports. The daemon is updated after each message
 * and after each command of the operator. The driver gets the same messages as without an update.
 */
#include "console_guest.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char state_path[128], program[128], control_path[128];

static void start(struct daemon_process *daemon)
{
	char spec[1024], line[256];
	const char *const arguments[] = { "--console", spec, "--state", state_path, NULL };

	daemon_folder(daemon);
	console_set_paths(daemon);
	snprintf(state_path, sizeof state_path, "%s/state", daemon->folder);
	snprintf(program, sizeof program, "%s/program", daemon->folder);
	snprintf(control_path, sizeof control_path, "%s/control", daemon->folder);
	daemon_copy_program(program);
	snprintf(spec, sizeof spec, "pty,socket=%s,control=%s,port=data:unix=%s", daemon->socket, control_path,
		 console_client_path);
	daemon_run_program(daemon, program, arguments);
	/* The first line has the name of the pty. */
	assert_non_null(fgets(line, sizeof line, daemon->out));
	console_await(daemon);
}

/* Checks that no update was refused. */
static void finish(struct daemon_process *daemon)
{
	char text[4096];

	(void)daemon_errors(daemon, text, sizeof text);
	assert_null(strstr(text, "not updated"));
	assert_null(strstr(text, "can't"));
	(void)unlink(state_path);
	unlink(program);
	daemon_finish(daemon);
}

/* Sends a command as the operator, and then updates the daemon. */
static void command(struct daemon_process *daemon, const char *line)
{
	const int fd = console_operate(control_path);
	char text[256];

	console_command(fd, line, text, sizeof text);
	assert_string_equal(text, "ok\n");
	close(fd);
	daemon_update(daemon);
}

static void say(struct daemon_process *daemon, struct console_guest *guest, uint32_t id, uint16_t event, uint16_t value)
{
	console_say(guest, id, event, value);
	daemon_update(daemon);
}

static void hear(struct daemon_process *daemon, struct console_guest *guest, uint32_t id, uint16_t event,
		 uint16_t value, const char *tail)
{
	console_hear(guest, id, event, value, tail);
	daemon_update(daemon);
}

/*
 * Exchanges the messages until the port "data" is open and has a client. Meanwhile the console's
 * size changes three times, and the device sends one RESIZE, with the last size.
 */
static int bring_up(struct daemon_process *daemon, struct console_guest *guest)
{
	int client;

	say(daemon, guest, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	hear(daemon, guest, 0, VIRTIO_CONSOLE_PORT_ADD, 0, "");
	hear(daemon, guest, 1, VIRTIO_CONSOLE_PORT_ADD, 0, "");
	say(daemon, guest, 0, VIRTIO_CONSOLE_PORT_READY, 1);
	command(daemon, "size 100x30\n");
	hear(daemon, guest, 0, VIRTIO_CONSOLE_CONSOLE_PORT, 1, "");
	command(daemon, "size 101x31\n");
	hear(daemon, guest, 0, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	command(daemon, "size 102x32\n");
	console_hear_size(guest, 102, 32);
	daemon_update(daemon);
	say(daemon, guest, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	client = console_connect();
	console_type(client, "first", 5);
	hear(daemon, guest, 1, VIRTIO_CONSOLE_PORT_NAME, 0, "data");
	hear(daemon, guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	say(daemon, guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	return client;
}

static void console_update_keeps_each_step_of_the_dialogue(void **state)
{
	struct daemon_process daemon;
	struct console_guest guest;
	struct ring *receive = &guest.rings[PORT_RECEIVE], *transmit = &guest.rings[PORT_TRANSMIT];
	const uint8_t *bytes;
	int client;

	(void)state;
	start(&daemon);
	console_attach(&guest, &daemon, MULTIPORT | FEATURE(VIRTIO_CONSOLE_F_SIZE));
	client = bring_up(&daemon, &guest);
	console_expect_input(receive, "first", 5);
	/*
	 * Another client connects before the driver gets the message that the first client has
	 * left.
	 */
	close(client);
	client = console_connect();
	daemon_update(&daemon);
	hear(&daemon, &guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
	hear(&daemon, &guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	/* Input for a closed port waits until the driver opens the port. */
	say(&daemon, &guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
	console_type(client, "later", 5);
	assert_true(console_offer(receive, NULL, 64));
	daemon_update(&daemon);
	assert_int_equal(receive->mock.in_flight, 1);
	say(&daemon, &guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(console_take(receive, &bytes), 5);
	assert_memory_equal(bytes, "later", 5);
	/*
	 * The port is removed and added again. Its next client must get no output of the removed
	 * port.
	 */
	command(&daemon, "remove data\n");
	close(client);
	command(&daemon, "add data\n");
	client = console_connect();
	console_output(transmit, 0, 1000);
	hear(&daemon, &guest, 1, VIRTIO_CONSOLE_PORT_REMOVE, 0, "");
	console_output(transmit, 1000, 2000);
	hear(&daemon, &guest, 1, VIRTIO_CONSOLE_PORT_ADD, 0, "");
	console_output(transmit, 2000, 3000);
	say(&daemon, &guest, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	console_output(transmit, 5000, 8000);
	hear(&daemon, &guest, 1, VIRTIO_CONSOLE_PORT_NAME, 0, "data");
	console_expect_output(client, 5000, 8000);
	console_expect_no_output(client);
	hear(&daemon, &guest, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	close(client);
	console_detach(&guest);
	finish(&daemon);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(console_update_keeps_each_step_of_the_dialogue),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
