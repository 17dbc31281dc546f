/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Restores states in which random bytes were changed and the checksum was corrected. A daemon with
 * a disk, a console and sockets must refuse such a state, or serve a guest.
 */
#include "console_guest.h"
#include "vsock_guest.h"

#include "cmocka_includes.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <virtio/queue_ser.h>

#define STATE_BYTES 262144u
#define MUTATIONS 60 /* mutations of each of the two states */

struct scene {
	struct daemon_process daemon;
	char disk[256], console[512], vsock[256], state[128];
	char console_socket[96], vsock_socket[96];
	struct front_end disk_guest;
	struct console_guest console_guest;
	struct vsock_guest vsock_guest;
	int client, streams[2];
};

static struct scene scene;

static void run(bool restore)
{
	const char *const arguments[] = { "--blk",       scene.disk,  "--console",
					  scene.console, "--vsock",   scene.vsock,
					  "--state",     scene.state, restore ? "--restore" : NULL,
					  scene.state,   NULL };

	daemon_run(&scene.daemon, arguments);
}

static void set_scene(void)
{
	const char *folder;

	daemon_folder(&scene.daemon);
	console_set_paths(&scene.daemon);
	folder = scene.daemon.folder;
	snprintf(vsock_path, sizeof vsock_path, "%s/v", folder);
	snprintf(scene.console_socket, sizeof scene.console_socket, "%s/console", folder);
	snprintf(scene.vsock_socket, sizeof scene.vsock_socket, "%s/vsock", folder);
	snprintf(scene.state, sizeof scene.state, "%s/state", folder);
	snprintf(scene.disk, sizeof scene.disk, "%s,socket=%s,queues=2", scene.daemon.image, scene.daemon.socket);
	snprintf(scene.console, sizeof scene.console, "file=%s,socket=%s,port=data:unix=%s", scene.daemon.second,
		 scene.console_socket, console_client_path);
	snprintf(scene.vsock, sizeof scene.vsock, "cid=3,uds=%s,socket=%s", vsock_path, scene.vsock_socket);
}

/*
 * Sets up guests so that the state has much content: connections, and bytes that wait in each
 * direction.
 */
static void attach_guests(bool ports)
{
	struct daemon_process console = scene.daemon;
	struct vsock_peer peer;
	const int listener = host_listen("_80", SOCK_STREAM, 8);

	memcpy(console.socket, scene.console_socket, sizeof console.socket);
	front_end_open(&scene.disk_guest, scene.daemon.socket);
	front_end_set_up(&scene.disk_guest, 0);
	block_write_and_read(&scene.disk_guest, 1, 0x11);
	console_attach(&scene.console_guest, &console, MULTIPORT);
	if (ports) {
		console_set_ports_up(&scene.console_guest, false);
		console_output(&scene.console_guest.rings[PORT_TRANSMIT], 0, 5000);
	} else {
		/*
		 * End the console's set-up after these three messages. The length of later messages
		 * is unknown, because it depends on values in the state, which may be changed.
		 */
		console_say(&scene.console_guest, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
		console_hear(&scene.console_guest, 0, VIRTIO_CONSOLE_PORT_ADD, 0, "");
		console_hear(&scene.console_guest, 1, VIRTIO_CONSOLE_PORT_ADD, 0, "");
	}
	vsock_attach(&scene.vsock_guest, scene.vsock_socket, 3, VSOCK_RINGS);
	assert_true(vsock_connect(&peer, &scene.vsock_guest, VIRTIO_VSOCK_TYPE_STREAM, 80));
	scene.streams[0] = host_accept(listener);
	close(listener);
	vsock_send(&peer, VIRTIO_VSOCK_OP_RW, 0, "abc", 3);
	scene.streams[1] = host_connect("", SOCK_STREAM);
	host_send(scene.streams[1], "CONN", 4);
}

static void detach_guests(void)
{
	front_end_close(&scene.disk_guest);
	console_detach(&scene.console_guest);
	vsock_detach(&scene.vsock_guest);
	close(scene.streams[0]);
	close(scene.streams[1]);
}

static uint8_t original[STATE_BYTES], mutated[STATE_BYTES];
static size_t length;

static void read_state(void)
{
	FILE *file = fopen(scene.state, "r");

	assert_non_null(file);
	length = fread(original, 1, sizeof original, file);
	assert_true(length > VIRTIO_QUEUE_SER_FRAME_BYTES && length < sizeof original);
	fclose(file);
}

static uint32_t next(uint32_t *random)
{
	*random = *random * 1664525u + 1013904223u;
	return *random >> 8;
}

/* Changes some bytes after the envelope's header, most of them in one bit. */
static void write_mutation(uint32_t number)
{
	uint32_t random = number, changes;
	FILE *file = fopen(scene.state, "w");

	assert_non_null(file);
	memcpy(mutated, original, length);
	changes = 1 + next(&random) % 3;
	for (uint32_t i = 0; i < changes; i++) {
		const size_t at = 36 + next(&random) % (length - 40);

		mutated[at] =
			next(&random) % 4 ? mutated[at] ^ (uint8_t)(1u << next(&random) % 8) : (uint8_t)next(&random);
	}
	virtio_put_le32(mutated + length - 4, virtio_queue_ser_checksum(mutated, length - 4));
	assert_int_equal(fwrite(mutated, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

/*
 * Starts the daemon with the state. Returns true if the daemon accepts the state and serves guests,
 * or false if it refuses the state with a reason.
 */
static bool restore(void)
{
	char line[160], text[4096];

	(void)unlink(scene.daemon.errors);
	run(true);
	snprintf(line, sizeof line, "listening on %s", scene.daemon.socket);
	if (!daemon_says(&scene.daemon, line)) {
		assert_int_equal(daemon_stop(&scene.daemon, 0), 1);
		daemon_errors(&scene.daemon, text, sizeof text);
		if (!strstr(text, "can't be taken over: ") && !strstr(text, "can't be restored: "))
			fail_msg("no reason in \"%s\"", text);
		return false;
	}
	attach_guests(false);
	assert_int_equal(daemon_stop(&scene.daemon, SIGTERM), 0);
	detach_guests();
	return true;
}

static void restore_of_a_changed_state_is_refused_or_serves(void **state)
{
	unsigned int good = 0, bad = 0;

	(void)state;
	for (enum daemon_end how = 0; how < DAEMON_WAYS; how++) {
		char line[160];

		set_scene();
		run(false);
		daemon_expect_listening(&scene.daemon);
		for (int i = 0; i < 2; i++)
			assert_non_null(fgets(line, sizeof line, scene.daemon.out));
		attach_guests(true);
		daemon_end(&scene.daemon, how);
		detach_guests();
		read_state();
		for (uint32_t i = 0; i < MUTATIONS; i++) {
			write_mutation(i * DAEMON_WAYS + how);
			if (restore())
				good++;
			else
				bad++;
		}
		(void)unlink(console_client_path);
		snprintf(line, sizeof line, "rm -f '%s'*", vsock_path);
		assert_int_equal(system(line), 0);
		daemon_remove_folder(&scene.daemon);
	}
	/* Bytes of output may have any value, but most other bytes may not. */
	assert_true(good > 0);
	assert_true(bad > 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(restore_of_a_changed_state_is_refused_or_serves),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
