/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The argument of --console, and its part of --help. */
#include "console_options.h"

#include "options.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <virtio/console.h>

/* The options so far, and the part of the argument to which the next option may belong. */
struct parser {
	struct console_options *options;
	/* Access to the socket that was named last; NULL if another kind of end was named last. */
	struct unix_listener_access *access;
	bool multiport_off;
};

/* Paths */

struct claim {
	struct claim *next;
	char path[PATH_MAX];
};

/*
 * Resolves the symbolic links in a path's folders.
 *
 * @follow  true to resolve the last name of the path, too, if it is a link
 *
 * Returns 0, or -1 if the path is too long, or a folder is missing.
 */
static int find_path(const char *path, bool follow, char out[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX], real[PATH_MAX];
	int len;

	if (follow && realpath(path, out))
		return 0;
	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	if (!realpath(slash == path ? "/" : folder, real))
		return -1;
	len = snprintf(out, PATH_MAX, "%s/%s", real, slash ? slash + 1 : path);
	return len < PATH_MAX ? 0 : -1;
}

/*
 * Refuses a path that was given before. Otherwise two ports would write to one file, or the
 * symbolic link of one pty (link=PATH) would replace the link of another. A missing folder is
 * refused when the path is opened. The list of paths lives as long as the process.
 */
static int claim_path(const char *path, bool follow)
{
	static struct claim *claims;
	struct claim *mine = malloc(sizeof *mine);

	if (!mine)
		return option_error(path, "out of memory");
	if (find_path(path, follow, mine->path)) {
		free(mine);
		return 0;
	}
	for (const struct claim *other = claims; other; other = other->next) {
		if (strcmp(other->path, mine->path) != 0)
			continue;
		free(mine);
		return option_error(path, "given twice");
	}
	mine->next = claims;
	claims = mine;
	return 0;
}

static int parse_backend(struct parser *parser, const char *spec, struct console_link_options *link)
{
	if (console_link_parse(spec, link))
		return -1;
	parser->access = link->ops == &console_socket_ops ? &link->access : NULL;
	return link->path ? claim_path(link->path, true) : 0;
}

/* Options */

static int parse_port(struct parser *parser, char *value)
{
	struct console_options *options = parser->options;
	char *spec = strchr(value, ':');

	if (!spec || spec == value)
		return option_error(value, "not NAME:BACKEND");
	*spec++ = '\0';
	if (strlen(value) > VIRTIO_CONSOLE_NAME_MAX)
		return option_error(value, "the name of a port is longer than 256 bytes");
	if (options->port_count == CONSOLE_MAX_PORTS)
		return option_error(value, "too many ports");
	for (uint32_t i = 1; i < options->port_count; i++)
		if (strcmp(options->ports[i].name, value) == 0)
			return option_error(value, "two ports have this name");
	options->ports[options->port_count].name = value;
	options->multiport = true;
	return parse_backend(parser, spec, &options->ports[options->port_count++].link);
}

static int parse_mode(const char *value, struct unix_listener_access *access)
{
	if (!access)
		return option_error(value, "only unix=PATH and control=PATH have a mode");
	return unix_listener_mode(value, access);
}

static int parse_group(const char *value, struct unix_listener_access *access)
{
	if (!access)
		return option_error(value, "only unix=PATH and control=PATH have a group");
	return unix_listener_group(value, access);
}

static int parse_full(const char *value, struct console_options *options)
{
	if (options->port_count > 1)
		return option_error(value, "full belongs to the console: give it before port=");
	options->ports[0].link.waits = strcmp(value, "wait") == 0;
	if (!options->ports[0].link.waits && strcmp(value, "drop") != 0)
		return option_error(value, "full is drop or wait");
	return 0;
}

static int parse_control(struct parser *parser, const char *value)
{
	if (!*value)
		return option_error("control=", "no path");
	if (!unix_listener_fits(value))
		return option_error(value, "too long for the path of a socket");
	parser->options->control = value;
	parser->access = &parser->options->control_access;
	return claim_path(value, false);
}

int console_size_parse(const char *text, uint16_t *cols, uint16_t *rows)
{
	const char *x = strchr(text, 'x');
	uint64_t width, height;
	char first[8];

	if (!x || x - text >= (int)sizeof first)
		return -1;
	snprintf(first, sizeof first, "%.*s", (int)(x - text), text);
	if (option_number(first, 1, UINT16_MAX, &width) || option_number(x + 1, 1, UINT16_MAX, &height))
		return -1;
	*cols = (uint16_t)width;
	*rows = (uint16_t)height;
	return 0;
}

static int parse_size(struct console_options *options, const char *value)
{
	if (options->port_count > 1)
		return option_error(value, "size belongs to the console: give it before port=");
	if (options->ports[0].link.ops == &console_tty_ops)
		return option_error(value, "a tty has a size of its own");
	if (console_size_parse(value, &options->ports[0].link.cols, &options->ports[0].link.rows))
		return option_error(value, "not COLSxROWS, 1x1 to 65535x65535");
	return 0;
}

static int parse_multiport(struct parser *parser, const char *name, const char *value)
{
	const int error = option_switch(name, value, &parser->options->multiport);

	parser->multiport_off = !error && !parser->options->multiport;
	return error;
}

static int take_link(struct console_link_options *last, const char *value)
{
	if (last->ops != &console_pty_ops)
		return option_error(value, "only a pty has a link");
	if (!*value)
		return option_error("link=", "no path");
	last->symlink = value;
	return claim_path(value, false);
}

static int take_option(void *context, const char *name, char *value)
{
	struct parser *parser = context;
	struct console_options *options = parser->options;
	struct console_link_options *last = &options->ports[options->port_count - 1].link;

	if (strcmp(name, "socket") == 0) {
		options->socket = value;
		return 0;
	}
	if (strcmp(name, "port") == 0)
		return parse_port(parser, value);
	if (strcmp(name, "multiport") == 0)
		return parse_multiport(parser, name, value);
	if (strcmp(name, "control") == 0)
		return parse_control(parser, value);
	if (strcmp(name, "mode") == 0)
		return parse_mode(value, parser->access);
	if (strcmp(name, "group") == 0)
		return parse_group(value, parser->access);
	if (strcmp(name, "full") == 0)
		return parse_full(value, options);
	if (strcmp(name, "size") == 0)
		return parse_size(options, value);
	if (strcmp(name, "escape") == 0)
		return console_tty_escape(value, last);
	if (strcmp(name, "link") == 0)
		return take_link(last, value);
	return option_error(name, "unknown option of --console");
}

/* The first piece is the console's backend, to which later options may belong. */
int console_options_parse(char *spec, struct console_options *options)
{
	struct parser parser = { .options = options };
	char *rest = strchr(spec, ',');

	*options = (struct console_options){ .port_count = 1 };
	if (rest)
		*rest++ = '\0';
	if (parse_backend(&parser, spec, &options->ports[0].link) || options_parse_pairs(rest, take_option, &parser))
		return -1;
	if (!options->socket || !*options->socket)
		return option_error("--console", "no socket=PATH");
	if (parser.multiport_off && options->port_count > 1)
		return option_error("multiport=off", "port= needs multiport=on");
	return 0;
}

void console_options_help(void)
{
	fputs("  --console BACKEND,...  a terminal of the guest, /dev/hvc0 in Linux. BACKEND is\n"
	      "                     tty        this terminal, or the files at stdin and stdout. A\n"
	      "                                terminal is raw while a virtual machine uses it,\n"
	      "                                and the guest learns its size\n"
	      "                     pty        a pseudo-terminal, whose name is printed. Output\n"
	      "                                waits there for a reader. When a program changes\n"
	      "                                the size, the guest learns it with the next input\n"
	      "                                or after SIGHUP\n"
	      "                     unix=PATH  a socket file for one client at a time. A second\n"
	      "                                client gets a line with the reason, and is closed.\n"
	      "                                A client that shuts down one direction keeps the\n"
	      "                                other direction\n"
	      "                     file=PATH  output is appended to a regular file, which is\n"
	      "                                opened again on SIGHUP; there is no input. On a\n"
	      "                                full disk, output waits, and the daemon tries again\n"
	      "      socket=PATH    as above\n"
	      "      link=PATH      a symbolic link to the pty that was named last. A link to another\n"
	      "                     pty is replaced, even if that pty is in use\n"
	      "      escape=KEY     for tty: KEY and then q ends the daemon; KEY twice sends one KEY\n"
	      "                     to the guest. KEY is ^] (Ctrl-]) by default. escape=none: there\n"
	      "                     is no such key\n"
	      "      mode=OCTAL     permissions of the socket file that was named last\n"
	      "      group=GROUP    group of that file, a name or a number. Mode and group are set\n"
	      "                     before a client can connect\n"
	      "      size=COLSxROWS the size that the guest learns; a tty has its own size\n"
	      "      control=PATH   a socket file for commands of one client at a time. Each line is\n"
	      "                     a command. The last line of its answer is ok, or error: and the\n"
	      "                     reason\n"
	      "                       size COLSxROWS  gives the console another size\n"
	      "                       remove NAME     unplugs a port; waiting bytes are lost\n"
	      "                       add NAME        plugs the port in again\n"
	      "                       stats           prints a line about each port\n"
	      "      full=wait      the guest waits when 64 KiB of the console's output have not been\n"
	      "                     read, and nothing is dropped. In Linux the processor that\n"
	      "                     prints spins meanwhile with interrupts off, and the whole\n"
	      "                     guest may stand still. The default is drop. Emergency writes\n"
	      "                     don't wait: they may use 64 KiB more. When these are full, such\n"
	      "                     writes replace the oldest bytes, which are counted as dropped\n"
	      "      port=NAME:BACKEND  one more port, up to 31: /dev/virtio-ports/NAME with udev\n"
	      "      multiport=on   offers VIRTIO_CONSOLE_F_MULTIPORT without another port; port=\n"
	      "                     offers it too. Linux registers such a console late: the first\n"
	      "                     output of init is lost\n",
	      stdout);
	/* C compilers need not accept string literals of more than 4095 bytes. */
	fputs("    The last 64 KiB of a console's output that nobody has read are kept for the next\n"
	      "    client; older bytes are dropped and counted. Other ports are throttled.\n"
	      "    A guest that has a port open gets all that a client has sent, also after the\n"
	      "    client has left. Input that is still unread is dropped and counted when another\n"
	      "    client has waited a second, when the guest closes the port, or when there is no\n"
	      "    guest.\n"
	      "    Input that waits for a guest to boot is kept until the console's driver reports\n"
	      "    that it is ready. A driver that can't report counts as ready after a second.\n"
	      "    Guests: Linux before 6.15 may swap rows and columns of the size under multiport,\n"
	      "    unless the correction was backported; without multiport the size is right.\n"
	      "    Another driver of Linux may have taken hvc0, as on Xen or POWER: then this\n"
	      "    console is hvc1. systemd asks the terminal questions when it starts, and waits a\n"
	      "    while for the answers. The kernel parameter systemd.tty.term.console=dumb avoids\n"
	      "    that. For a login at hvc0, systemd.tty.term.hvc0=dumb avoids it.\n",
	      stdout);
}
