#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Fuzzes: builds libraries and harnesses with clang, libFuzzer and the sanitizers, and runs each harness for a time.
# usage: fuzz/run.sh [SECONDS [BUILD_DIR]]     By default 600 seconds each, in build/fuzz. Ends with a line per harness;
# its exit status is 0 only if nothing was found. Finds stay in BUILD_DIR/findings.
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=fuzz/lib.sh disable=SC1091
. fuzz/lib.sh

seconds=${1:-600}
build=${2:-build/fuzz}
mkdir -p "$(dirname "$build")" || exit 1
failed=0

configure . "$build" || exit 1
for harness in $(harnesses); do
	findings=$build/findings/$harness
	build "$build" "$harness" || exit 1
	if fuzz "$build" "$harness" "$seconds" "$findings" "fuzz/corpus/$harness"; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$findings/log")
		echo "$harness: $seconds s, $runs runs, nothing found"
	else
		failed=1
		tail -n 60 "$findings/log"
		echo "$harness: FOUND $(finding "$findings/log"), see $findings"
	fi
done
exit "$failed"
