# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# What run.sh and mutants.sh share. To be sourced. Needs clang, its sanitizers, meson and ninja.
# shellcheck shell=sh

# names of the harnesses, for a loop
harnesses() {
	echo fuzz_blk fuzz_console fuzz_vsock fuzz_device fuzz_queue fuzz_guest_memory fuzz_state fuzz_vhost_user
}

# Undefined behaviour ends the run; short stacks of allocations save a third of the time.
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export ASAN_OPTIONS=malloc_context_size=2

# quietly LOG COMMAND...: shows the end of the output only if the command fails.
quietly() {
	log=$1
	shift
	"$@" >"$log" 2>&1 && return
	tail -n 40 "$log" >&2
	echo "FAILED: $* (all of its output is in $log)" >&2
	return 1
}

# configure SOURCE BUILD: libraries and harnesses instrumented.
configure() {
	[ ! -e "$2/build.ninja" ] || return 0
	CC=clang CXX=clang++ quietly "$2.log" meson setup "$2" "$1" -Dfuzz=true -Dtests=disabled \
		-Dexamples=disabled -Dguests=disabled -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false \
		'-Dc_args=-fsanitize=fuzzer-no-link -fno-sanitize-recover=all'
}

# build BUILD HARNESS...
build() {
	folder=$1
	shift
	for harness; do
		set -- "$@" "fuzz/$harness"
		shift
	done
	quietly "$folder.log" ninja -C "$folder" "$@"
}

# fuzz BUILD HARNESS SECONDS FOLDER CORPUS: from a copy of the corpus. What is found stays in
# FOLDER, and so does the log. An input takes milliseconds, so an input that takes minutes counts as
# endless, on a busy machine too. So does a run that takes an hour longer than asked for.
fuzz() {
	rm -rf "$4"
	mkdir -p "$4/corpus" || return 1
	cp "$5/"* "$4/corpus" || return 1
	timeout $(($3 + 3600)) "$1/fuzz/$2" -max_total_time="$3" -max_len=600 -timeout=300 -rss_limit_mb=2048 \
		-print_final_stats=1 -artifact_prefix="$4/" "$4/corpus" >"$4/log" 2>&1
}

# Prints what was found, from a log: our own message, or the sanitizer's.
finding() {
	grep -m 1 -E '^fuzz: |runtime error:|ERROR: AddressSanitizer|ERROR: libFuzzer' "$1"
}
