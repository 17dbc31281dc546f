/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Seeds of the vhost-user harness. */
#include "../common/seeds.h"
#include "steps.h"

#define VHOST_USER(name, ...) SEED("fuzz_vhost_user", name, __VA_ARGS__)

/*
 * Sets up a ring of size 8 in the first half of memory. Features are VERSION_1 and
 * PROTOCOL_FEATURES. The memory table has both halves.
 */
#define SET_UP                                                                                                         \
	STEP_FEATURES | ASK, 3, STEP_MEMORY | ASK, 0, STEP_SIZE | ASK, 2, STEP_BASE | ASK, 0, STEP_ADDR | ASK, 0,      \
		STEP_CALL | ASK, 0, STEP_KICK | ASK, 0, STEP_ENABLE | ASK, 1

const struct seed vhost_user_seeds[] = {
	VHOST_USER("set_up", SET_UP, STEP_GET, 0, STEP_GET_BASE, STEP_KICK | ASK, 0, STEP_GET_BASE),
	VHOST_USER("order", STEP_ENABLE | ASK, 1, STEP_KICK | ASK, 0, STEP_ADDR | ASK, 0, STEP_SIZE | ASK, 2,
		   STEP_MEMORY | ASK, 0, STEP_FEATURES | ASK, 3, STEP_BASE | ASK, 0),
	VHOST_USER("again", SET_UP, SET_UP, STEP_MEMORY | ASK, 1, STEP_MEMORY | ASK, 2),
	VHOST_USER("new_size", SET_UP, STEP_SIZE | ASK, 3, STEP_ADDR | ASK, 0, STEP_KICK | ASK, 0),
	VHOST_USER("new_base", SET_UP, STEP_BASE | ASK, 1, STEP_CALL | ASK, 0, STEP_ENABLE | ASK, 1, STEP_GET_BASE),
	VHOST_USER("old_base", STEP_BASE | ASK, 1, STEP_FEATURES | ASK, 3, STEP_MEMORY | ASK, 0, STEP_SIZE | ASK, 2,
		   STEP_ADDR | ASK, 0, STEP_KICK | ASK, 0, STEP_ENABLE | ASK, 1, STEP_SIZE | ASK, 3, STEP_GET_BASE),
	VHOST_USER("new_place", SET_UP, STEP_ADDR | ASK, 1, STEP_MEMORY | ASK, 1, STEP_KICK | ASK, 0, STEP_MEMORY | ASK,
		   0, STEP_KICK | ASK, 1),
	VHOST_USER("features", STEP_FEATURES | ASK, 2, STEP_FEATURES | ASK, 1, STEP_FEATURES | ASK, 0, SET_UP,
		   STEP_FEATURES | ASK, 11, STEP_ENABLE | RING(1) | ASK, 1, STEP_KICK | RING(1) | ASK, 0,
		   STEP_SIZE | RING(1) | ASK, 2, STEP_ADDR | RING(1) | ASK, 0),
	VHOST_USER("bad_features", STEP_FEATURES | ASK, 7, STEP_SET_CONFIG | ASK, 0, 0, 1, 1, 0, 9, SET_UP,
		   STEP_FEATURES | ASK, 32),
	VHOST_USER("legacy", STEP_FEATURES | ASK, 2, STEP_MEMORY | ASK, 0, STEP_SIZE | ASK, 2, STEP_ADDR | ASK, 0,
		   STEP_KICK | ASK, 0, STEP_ENABLE | ASK, 1, STEP_FEATURES | ASK, 3),
	VHOST_USER("no_protocol", STEP_FEATURES | ASK, 1, STEP_MEMORY | ASK, 0, STEP_SIZE | ASK, 2, STEP_ADDR | ASK, 0,
		   STEP_KICK | ASK, 0),
	VHOST_USER("memory", STEP_MEMORY | ASK, 4, STEP_MEMORY | ASK, 5, STEP_MEMORY | ASK, 6, STEP_MEMORY | ASK, 7,
		   STEP_MEMORY | ASK, 8, STEP_MEMORY | ASK, 9, STEP_MEMORY, 3),
	VHOST_USER("config", STEP_GET_CONFIG, 0, 0, 8, 8, STEP_SET_CONFIG | ASK, 2, 1, 3, 5, 1, 1, 2, 3, 4, 5,
		   STEP_GET_CONFIG, 2, 1, 4, 0, STEP_GET_CONFIG, 7, 0, 60, 255, STEP_SET_CONFIG, 7, 0, 4, 4, 0),
	VHOST_USER("refused", STEP_SIZE | ASK, 0x82, STEP_ADDR | ASK, 0x40, STEP_ADDR | ASK, 0x80, STEP_BASE | ASK, 2,
		   STEP_KICK | ASK, 2, STEP_KICK | ASK, 3, STEP_CALL | ASK, 3, STEP_ENABLE | ASK, 2,
		   STEP_ENABLE | RING(2) | ASK, 1, STEP_UNKNOWN | ASK, 3, STEP_UNKNOWN, 200, STEP_SIZE, 0x82),
	VHOST_USER("owner", SET_UP, STEP_OWNER, 0, STEP_OWNER, 1, STEP_KICK | ASK, 0, STEP_GET_BASE | RING(2)),
	VHOST_USER("header", STEP_HEADER, 3),
	VHOST_USER("short", STEP_HEADER, 9),
};

const size_t vhost_user_seed_count = sizeof vhost_user_seeds / sizeof vhost_user_seeds[0];
