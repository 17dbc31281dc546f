/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Receives signals by signalfd(). */
#include "signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

static void on_signal(struct event_source *source)
{
	struct signals *signals = CONTAINER_OF(source, struct signals, source);
	struct signalfd_siginfo info;

	if (read(source->fd, &info, sizeof info) != (ssize_t)sizeof info)
		return;
	if (info.ssi_signo == SIGHUP)
		signals->hang_up(signals);
	else if (info.ssi_signo == SIGUSR1)
		signals->update(signals);
	else
		signals->loop->stop = true;
}

int signals_open(struct signals *signals, struct event_loop *loop, void (*hang_up)(struct signals *signals),
		 void (*update)(struct signals *signals))
{
	signals->loop = loop;
	signals->hang_up = hang_up;
	signals->update = update;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&signals->set);
	sigaddset(&signals->set, SIGINT);
	sigaddset(&signals->set, SIGTERM);
	sigaddset(&signals->set, SIGQUIT);
	sigaddset(&signals->set, SIGHUP);
	if (update)
		sigaddset(&signals->set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals->set, NULL);
	signals->source = (struct event_source){
		.fd = signalfd(-1, &signals->set, SFD_CLOEXEC | SFD_NONBLOCK),
		.ready = on_signal,
	};
	if (signals->source.fd < 0)
		return -1;
	return event_loop_add(loop, &signals->source, EVENT_WHILE_READABLE);
}

void signals_close(struct signals *signals)
{
	if (signals->source.fd >= 0)
		close(signals->source.fd);
	signals->source.fd = -1;
}
