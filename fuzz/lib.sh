# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# What run.sh and mutants.sh share. To be sourced. Needs clang, its sanitizers, meson and ninja.
# shellcheck shell=sh

# The names of the harnesses.
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

# FUZZ_SEED makes runs repeatable: libFuzzer makes the same inputs, and as many of them on any
# machine. Without FUZZ_SEED a run lasts a fixed time, and begins from a random seed.
seed=${FUZZ_SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}

# runs_a_second HARNESS: the number that even a busy machine reaches.
runs_a_second() {
	case $1 in
	fuzz_guest_memory) echo 10000 ;;
	fuzz_queue | fuzz_vhost_user | fuzz_vsock) echo 1000 ;;
	fuzz_device | fuzz_state) echo 100 ;;
	*) echo 300 ;;
	esac
}

# libFuzzer learns from compared numbers. Some are pointers, so runs repeat only with fixed
# addresses.
fixed_addresses=
if setarch -R true 2>/dev/null; then
	fixed_addresses='setarch -R'
else
	echo 'Addresses are random on this machine, so a seed does not repeat a run exactly.' >&2
fi

# fuzz BUILD HARNESS SECONDS FOLDER CORPUS: fuzzes from the files of the corpus, in the order of
# their names. FOLDER keeps the findings and the log. The log begins with a command that repeats the
# run, but keeps no inputs.
# An input takes milliseconds. Even on a busy machine, an input that takes minutes counts as
# endless, and so does a run that takes an hour longer than asked for.
fuzz() {
	rm -rf "$4"
	mkdir -p "$4/corpus" || return 1
	printf '%s\n' "$5"/* | paste -s -d , >"$4/order"
	if [ -n "${FUZZ_SEED:-}" ]; then
		amount=-runs=$(($3 * $(runs_a_second "$2")))
	else
		amount=-max_total_time=$3
	fi
	# shellcheck disable=SC2086 # two words, or none
	set -- $(($3 + 3600)) "$4" $fixed_addresses "$1/fuzz/$2" "$amount" "-seed=$seed" "-seed_inputs=@$4/order" \
		-reload=0 -max_len=600 -timeout=300 -rss_limit_mb=2048 -print_final_stats=1 "-artifact_prefix=$4/"
	patience=$1 folder=$2
	shift 2
	echo "$*" >"$folder/log"
	timeout "$patience" "$@" "$folder/corpus" >>"$folder/log" 2>&1
}

# Prints how to repeat what was found, from the folder and the harness's program.
how_to_repeat() {
	for input in "$1"/crash-* "$1"/leak-* "$1"/oom-* "$1"/timeout-*; do
		[ -e "$input" ] || continue
		echo "To repeat it: echo $(base64 -w 0 "$input") | base64 -d >input; $2 input"
	done
	echo "To repeat the run, in this folder: $(head -n 1 "$1/log")"
}

# Prints what was found, from a log: our own message, or the sanitizer's.
finding() {
	grep -m 1 -E '^(fuzz|FAILED): |runtime error:|ERROR: AddressSanitizer|ERROR: libFuzzer' "$1"
}
