#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Builds libraries and harnesses with clang, libFuzzer and the sanitizers. Then runs each harness
# for some time. Runs at most one harness per processor at a time.
# usage: fuzz/run.sh [SECONDS [BUILD_DIR]]     Default: 600 seconds for each harness, build/fuzz
#   FUZZ_SEED=N   makes the run repeatable. The run then makes a fixed number of inputs from the
#                 seed N. On a busy machine these inputs take about SECONDS. By default the seed
#                 is random, and the time is exact.
# The output has a result line for each harness. The exit status is 0 only if nothing was found.
# Findings stay in BUILD_DIR/findings, and the output says how to repeat a finding.
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=fuzz/lib.sh disable=SC1091
. fuzz/lib.sh

seconds=${1:-600}
build=${2:-build/fuzz}
mkdir -p "$(dirname "$build")" || exit 1
failed=0

# fuzz_one HARNESS: runs a harness. The last line of the output is the result.
fuzz_one() {
	findings=$build/findings/$1
	if fuzz "$build" "$1" "$seconds" "$findings" "fuzz/corpus/$1"; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$findings/log")
		# shellcheck disable=SC2154 # lib.sh sets seed
		echo "$1: $runs runs, seed $seed, nothing found"
	else
		tail -n 60 "$findings/log"
		how_to_repeat "$findings" "$build/fuzz/$1"
		echo "$1: FOUND $(finding "$findings/log"), see $findings"
	fi
}

if [ -n "${FUZZ_SEED:-}" ]; then
	echo "To repeat this run: FUZZ_SEED=$seed fuzz/run.sh $seconds"
else
	echo "Seed $seed, for $seconds s"
fi
configure . "$build" || exit 1
# shellcheck disable=SC2046 # a list of words
build "$build" $(harnesses) || exit 1
processors=$(nproc 2>/dev/null || echo 1)
running=0
for harness in $(harnesses); do
	fuzz_one "$harness" >"$build/$harness.result" 2>&1 &
	running=$((running + 1))
	if [ "$running" -ge "$processors" ]; then
		wait
		running=0
	fi
done
wait
for harness in $(harnesses); do
	cat "$build/$harness.result"
	tail -n 1 "$build/$harness.result" | grep -q 'nothing found$' || failed=1
done
exit "$failed"
