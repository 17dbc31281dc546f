#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Counts instructions and compares the counts with the recorded counts.
# usage: check.sh BENCH COMPILER FOLDER     exits with 77 where nothing can be compared
set -u
here=$(dirname "$0")
sh "$here/count.sh" "$3" "$1" --count || exit
exec python3 "$here/report.py" check "$2" "$3/dumps"
