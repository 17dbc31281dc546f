#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Counts instructions with callgrind. One process counts all rows: PROGRAM asks callgrind for two
# dumps of each row.
# usage: count.sh FOLDER PROGRAM ARGUMENT...   makes FOLDER/dumps, for report.py
# Exits with 77 where nothing can be counted; the reason is the last line of output.
set -u
folder=$1 program=$2
shift 2
command -v valgrind >/dev/null || { echo 'skipped: valgrind is not installed'; exit 77; }
mkdir -p "$folder" && rm -f "$folder"/dumps* || exit
# Strips debug information, because an older valgrind fails on newer formats. The counts do not need
# debug information.
objcopy --strip-debug "$program" "$folder/program" || exit
valgrind --tool=callgrind --instr-atstart=no --toggle-collect=serve_once --combine-dumps=yes \
	--callgrind-out-file="$folder/dumps" "$folder/program" "$@" >"$folder/log" 2>&1
status=$?
if [ "$status" != 0 ]; then
	cat "$folder/log" >&2
	grep '^skipped: ' "$folder/log"
fi
exit "$status"
