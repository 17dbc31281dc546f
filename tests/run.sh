#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The test command, for Debian 12:
# - installs the packages that it needs,
# - builds with gcc, with clang, and with clang's address and undefined-behaviour sanitizers,
# - runs every test in each build in which the test may give a different result,
# - runs each fuzzer for about $FUZZ_SECONDS, by default 10, from the seed $FUZZ_SEED. The default
#   seed is made from the commit's id, so a run of one commit can be repeated.
# The last line is "N passed, N failed, N skipped". The exit status is 0 only if nothing failed.
# usage: sh tests/run.sh     makes everything below $BUILD_DIR, by default build
#   LONG=1                   runs all tests of each build, with more descriptor tables, and with ten
#                            times as many thread runs and random inputs. Runs all mutants. By
#                            default each fuzzer then runs for 600 seconds from a random seed. All
#                            this takes hours.
#   VIRTIO_REQUIRE_GUESTS=1  fails if a guest test cannot get its packages, or if the system has
#                            io_uring but the build lacks liburing.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/guests/lib.sh

build=${BUILD_DIR:-build}
mkdir -p "$build" || exit 1
VIRTIO_GUEST_PACKAGES=$(cd "$build" && pwd)/guest-packages
export VIRTIO_GUEST_PACKAGES
# Without this, undefined behaviour is only reported, and the test passes.
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
passed=0 failed=0 skipped=0
# Each line of the file $times has a build, a kind of test or step, and its seconds. print_times
# makes a table of these lines.
times=$build/times
: >"$times"

# quietly LOG COMMAND...: shows the end of the output only if the command fails.
quietly() {
	log=$1
	shift
	"$@" >"$log" 2>&1 && return
	tail -n 40 "$log" >&2
	echo "FAILED: $* (all of its output is in $log)" >&2
	return 1
}

# count_results TESTLOG BUILD: names skipped tests and their reasons on stderr, and notes the time
# of each test. Prints how many tests passed, failed and were skipped. A program of several cases
# counts as passed even if it skips some cases. Each skipped case also counts as skipped. Its reason
# is the line before cmocka's line "SKIPPED".
count_results() {
	python3 -c '
import json, sys
with open(sys.argv[1]) as log:
    tests = [json.loads(line) for line in log]
results = [test["result"] for test in tests]
with open(sys.argv[3], "a") as times:
    for test in tests:
        # The name of a test has the form "PROJECT:KIND+OTHER-SUITES / TEST".
        kind = test["name"].split(" / ")[0].split(":")[-1].split("+")[0]
        print(sys.argv[2], kind, test.get("duration", 0), sep="\t", file=times)
for test in tests:
    if test["result"] == "SKIP":
        reason = test.get("stdout", "").strip().split("\n")[-1] or "no reason given"
        print("SKIPPED:", test["name"] + ":", reason, file=sys.stderr)
parts = 0
for test in tests:
    lines = test.get("stdout", "").split("\n")
    for before, line in zip(lines, lines[1:]):
        if test["result"] == "OK" and line.startswith("[  SKIPPED ] "):
            reason = "no reason given" if before.startswith("[ RUN ") else before
            print("SKIPPED:", test["name"] + ",", line[13:] + ":", reason, file=sys.stderr)
            parts += 1
passed, skipped = results.count("OK") + results.count("EXPECTEDFAIL"), results.count("SKIP")
print(passed, len(results) - passed - skipped, skipped + parts)' "$1" "$2" "$times"
}

# print_times SECONDS: prints a table of times. Times are not results, so no time fails the run.
print_times() {
	times >"$build/processor"
	python3 -c '
import collections, re, sys
spent, builds = collections.defaultdict(float), []
with open(sys.argv[1]) as times:
    for line in times:
        build, kind, seconds = line.rstrip("\n").split("\t")
        spent[build, kind] += float(seconds)
        builds += [build] if build not in builds else []
print("\nSeconds, added up for tests of one kind, which run side by side:")
print(f"{str():20}", *(f"{build:>8}" for build in builds))
for kind in sorted({kind for _, kind in spent}):
    print(f"{kind:20}", *(f"{spent[b, kind]:8.1f}" if (b, kind) in spent else f"{str():8}" for b in builds))
with open(sys.argv[2]) as processor:
    used = sum(int(m) * 60 + float(s) for m, s in re.findall(r"(\d+)m([\d.]+)s", processor.read()))
print(f"In all {sys.argv[3]} s, with {used:.0f} s of processor time")' "$times" "$build/processor" "$1"
}

# spent BUILD WHAT SINCE: notes the time since SINCE, in seconds.
spent() { printf '%s\t%s\t%s\n' "$1" "$2" $(($(date +%s) - $3)) >>"$times"; }

# check NAME SUITES CC CXX OPTION...: configures, builds and tests $build/NAME. Leaves out SUITES
# unless LONG is set. A failed build counts as one failure.
check() {
	name=$1 folder=$build/$1 suites=$2
	export CC="$3" CXX="$4"
	shift 4
	printf '\n== %s: %s %s\n' "$folder" "$CC" "$*"
	# With these options a build fails where it would otherwise leave out tests or examples.
	set -- -Dexamples=enabled -Dtests=enabled "$@"
	if [ -e "$folder/build.ninja" ]; then reconfigure=--reconfigure; else reconfigure=; fi
	since=$(date +%s)
	# shellcheck disable=SC2086 # empty, or a word
	if ! quietly "$folder.log" meson setup $reconfigure "$folder" "$@" ||
		! quietly "$folder.log" ninja -C "$folder"; then
		failed=$((failed + 1))
		return
	fi
	spent "$name" building "$since"
	set --
	for suite in $suites; do
		set -- "$@" --no-suite "$suite"
	done
	[ -z "$LONG" ] || set -- --setup long
	testlog=$folder/meson-logs/testlog${LONG:+-long}.json
	rm -f "$testlog"
	status=0
	meson test -C "$folder" --no-rebuild --print-errorlogs "$@" || status=$?
	if [ ! -s "$testlog" ] || ! counts=$(count_results "$testlog" "$name"); then
		echo "FAILED: no test results of $folder" >&2
		counts='0 1 0'
	fi
	# shellcheck disable=SC2086 # three numbers
	set -- $counts
	[ "$status" = 0 ] || [ "$2" -gt 0 ] || set -- "$1" 1 "$3"
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

# count_lines LOG PATTERN COMMAND...: runs the command. Each line of its output that matches the
# pattern counts as a passed test. A command that fails counts as one failure.
count_lines() {
	log=$1 pattern=$2
	shift 2
	if ! "$@" >"$log" 2>&1; then
		failed=$((failed + 1))
		tail -n 60 "$log"
	fi
	grep -E "^(To repeat|Seed)|$pattern" "$log" || true
	passed=$((passed + $(grep -c "$pattern" "$log")))
}

began=$(date +%s)
# An empty LONG counts as unset. Tests read LONG, too.
export LONG="${LONG-}"
need_packages gcc g++ libc6-dev clang libclang-rt-14-dev meson ninja-build pkg-config cmake libcmocka-dev liburing-dev \
	valgrind gnuplot-nox xz-utils gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user || {
	# A missing package keeps every test from running.
	echo '0 passed, 1 failed, 0 skipped'
	exit 1
}
# Fetches the guests' packages here, so that the times of the guest tests exclude the download. If
# this fails, the guest tests report the failure.
guest_packages "$VIRTIO_GUEST_PACKAGES" || true
qemu_packages "$VIRTIO_GUEST_PACKAGES" || true
unpack_package "$VIRTIO_GUEST_PACKAGES" linux-source-6.1 || true
spent - packages "$began"

# Each line names a build and the suites that the build leaves out. tests/meson.build explains the
# suites "once", "compiler", "sample" and "tsan". Tests of none of these suites, and of no suite
# below, run in all three builds. Each compiler and the sanitizers reveal other faults of the code.
#   tsan    runs with clang, whose ThreadSanitizer takes two thirds of the time of gcc's and finds
#           the same races
#   guests  run with the sanitizers, which find faults of the daemon that no guest notices
#   vhost-user, mmio-proxy  run with gcc and with the sanitizers, whose build uses clang
#   sample  runs in the builds in which suite "once" does not run
check gcc 'sample tsan guests' gcc g++ -Dguests=enabled -Dwerror=true
check clang 'once vhost-user mmio-proxy' clang clang++ -Dguests=disabled -Dwerror=true
check asan 'once compiler' clang clang++ -Dguests=enabled -Db_sanitize=address,undefined -Db_lundef=false

# Each fuzzer counts as a test, which passes if the fuzzer finds nothing. If git does not know the
# commit, the seed is 1.
printf '\n== %s: fuzzing\n' "$build/fuzz"
if [ -z "$LONG" ] && [ -z "${FUZZ_SEED:-}" ]; then
	commit=$(git rev-parse HEAD 2>/dev/null | cut -c 1-7)
	FUZZ_SEED=$((0x${commit:-0} + 1))
fi
export FUZZ_SEED="${FUZZ_SEED-}"
since=$(date +%s)
count_lines "$build/fuzzing.log" 'nothing found$' \
	sh fuzz/run.sh "${FUZZ_SECONDS:-$([ -n "$LONG" ] && echo 600 || echo 10)}" "$build/fuzz"
spent fuzz fuzzing "$since"
if [ -n "$LONG" ]; then
	since=$(date +%s)
	count_lines "$build/mutants.log" ': found by ' sh fuzz/mutants.sh "$build/mutants"
	spent fuzz mutants "$since"
fi

print_times $(($(date +%s) - began))
printf '\n%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
