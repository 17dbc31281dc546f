#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The test command: installs what it needs (Debian 12), builds with gcc and with clang, and with clang's address and
# undefined-behaviour sanitizers in the libraries too, and runs every test in each build, real guests not in the second.
# Its last line is "N passed, N failed, N skipped"; its exit status is 0 only if nothing failed.
# usage: sh tests/run.sh     Everything is made below $BUILD_DIR, by default build.
# Last, each fuzzer runs for $FUZZ_SECONDS, by default 10.
# With VIRTIO_REQUIRE_GUESTS=1 a guest test that cannot get its packages fails instead of being skipped, and so does a test
# of io_uring where the system has it and liburing was not there to build with.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/guests/lib.sh

build=${BUILD_DIR:-build}
mkdir -p "$build" || exit 1
VIRTIO_GUEST_PACKAGES=$(cd "$build" && pwd)/guest-packages
export VIRTIO_GUEST_PACKAGES
# By default undefined behaviour is only reported, and the test passes.
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
passed=0 failed=0 skipped=0

# quietly LOG COMMAND...: shows the end of the output only if the command fails.
quietly() {
	log=$1
	shift
	"$@" >"$log" 2>&1 && return
	tail -n 40 "$log" >&2
	echo "FAILED: $* (all of its output is in $log)" >&2
	return 1
}

# count_results TESTLOG: names skipped tests and their reason on stderr, and prints the three numbers.
count_results() {
	python3 -c '
import json, sys
with open(sys.argv[1]) as log:
    tests = [json.loads(line) for line in log]
results = [test["result"] for test in tests]
for test in tests:
    if test["result"] == "SKIP":
        reason = test.get("stdout", "").strip().split("\n")[-1] or "no reason given"
        print("SKIPPED:", test["name"] + ":", reason, file=sys.stderr)
passed, skipped = results.count("OK") + results.count("EXPECTEDFAIL"), results.count("SKIP")
print(passed, len(results) - passed - skipped, skipped)' "$1"
}

# check NAME CC CXX OPTION...: configures, builds and tests $build/NAME. What keeps tests from running is one failure.
check() {
	folder=$build/$1
	export CC="$2" CXX="$3"
	shift 3
	printf '\n== %s: %s %s\n' "$folder" "$CC" "$*"
	# Left to itself, a build leaves out what it lacks the means for.
	set -- -Dexamples=enabled -Dtests=enabled "$@"
	if [ -e "$folder/build.ninja" ]; then reconfigure=--reconfigure; else reconfigure=; fi
	# shellcheck disable=SC2086 # empty, or a word
	if ! quietly "$folder.log" meson setup $reconfigure "$folder" "$@" ||
		! quietly "$folder.log" ninja -C "$folder"; then
		failed=$((failed + 1))
		return
	fi
	testlog=$folder/meson-logs/testlog.json
	rm -f "$testlog"
	status=0
	meson test -C "$folder" --no-rebuild --print-errorlogs || status=$?
	if [ ! -s "$testlog" ] || ! counts=$(count_results "$testlog"); then
		echo "FAILED: no test results of $folder" >&2
		counts='0 1 0'
	fi
	# shellcheck disable=SC2086 # three numbers
	set -- $counts
	[ "$status" = 0 ] || [ "$2" -gt 0 ] || set -- "$1" 1 "$3"
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

need_packages gcc g++ libc6-dev clang libclang-rt-14-dev meson ninja-build pkg-config cmake libcmocka-dev liburing-dev \
	valgrind xz-utils gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user || {
	# What cannot be installed keeps every test from running.
	echo '0 passed, 1 failed, 0 skipped'
	exit 1
}
# Fetched here, where nothing is timed; if that fails, the guest test says so.
guest_packages "$VIRTIO_GUEST_PACKAGES" || true
qemu_packages "$VIRTIO_GUEST_PACKAGES" || true
unpack_package "$VIRTIO_GUEST_PACKAGES" linux-source-6.1 || true

check gcc gcc g++ -Dguests=enabled -Dwerror=true
check clang clang clang++ -Dguests=disabled -Dwerror=true
check asan clang clang++ -Dguests=enabled -Db_sanitize=address,undefined -Db_lundef=false

# Each harness is a test: for so many seconds nothing is found.
printf '\n== %s: fuzzing\n' "$build/fuzz"
if ! sh fuzz/run.sh "${FUZZ_SECONDS:-10}" "$build/fuzz" >"$build/fuzzing.log" 2>&1; then
	failed=$((failed + 1))
	tail -n 60 "$build/fuzzing.log"
fi
grep 'nothing found$' "$build/fuzzing.log" || true
passed=$((passed + $(grep -c 'nothing found$' "$build/fuzzing.log")))

printf '\n%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
