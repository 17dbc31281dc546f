#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Runs a program several times, because its result depends on how threads are scheduled. Each run
# has the program's own watchdog.
#
# usage: repeat.sh TIMES PROGRAM ARGUMENT...
# The exit status is 0, or the exit status of the first run that fails.
set -u
times=$1
shift
for run in $(seq "$times"); do
	"$@" >/dev/null || { status=$?; echo "FAILED: run $run of $times ended with status $status: $*" >&2; exit "$status"; }
done
echo "ok: $times runs"
