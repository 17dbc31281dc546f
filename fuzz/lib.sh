# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Functions for run.sh and mutants.sh, which source this file. Needs clang, its sanitizers, meson
# and ninja.
# shellcheck shell=sh

# Prints the names of the harnesses.
harnesses() {
	echo fuzz_blk fuzz_console fuzz_vsock fuzz_device fuzz_queue fuzz_guest_memory fuzz_state fuzz_vhost_user
}

# Undefined behaviour must end the run. AddressSanitizer records only two stack frames of each
# allocation, which shortens a run by a third.
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export ASAN_OPTIONS=malloc_context_size=2

# quietly LOG COMMAND...: runs a command with its output in LOG. If the command fails, shows the end
# of the output.
quietly() {
	log=$1
	shift
	"$@" >"$log" 2>&1 && return
	tail -n 40 "$log" >&2
	echo "FAILED: $* (the whole output is in $log)" >&2
	return 1
}

# configure SOURCE BUILD: sets up a build with instrumented libraries and harnesses.
configure() {
	[ ! -e "$2/build.ninja" ] || return 0
	CC=clang CXX=clang++ quietly "$2.log" meson setup "$2" "$1" -Dfuzz=true -Dtests=disabled \
		-Dexamples=disabled -Dguests=disabled -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false \
		'-Dc_args=-fsanitize=fuzzer-no-link -fno-sanitize-recover=all'
}

# build BUILD HARNESS...: compiles these harnesses.
build() {
	folder=$1
	shift
	for harness; do
		set -- "$@" "fuzz/$harness"
		shift
	done
	quietly "$folder.log" ninja -C "$folder" "$@"
}

# With FUZZ_SEED each run makes the same inputs, and the same number of inputs. Without FUZZ_SEED a
# run lasts a fixed time, and begins from a random seed.
seed=${FUZZ_SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}

# runs_a_second HARNESS: prints a number of runs per second that even a busy machine reaches.
runs_a_second() {
	case $1 in
	fuzz_guest_memory) echo 10000 ;;
	fuzz_queue | fuzz_vhost_user | fuzz_vsock) echo 1000 ;;
	fuzz_device | fuzz_state) echo 100 ;;
	*) echo 300 ;;
	esac
}

# libFuzzer learns from numbers that the code compares. Some of these numbers are pointers, so a run
# repeats exactly only if the addresses are fixed.
fixed_addresses=
if setarch -R true 2>/dev/null; then
	fixed_addresses='setarch -R'
else
	echo 'Addresses are random on this machine, so a seed does not repeat a run exactly.' >&2
fi

# fuzz BUILD HARNESS SECONDS FOLDER CORPUS: fuzzes, beginning with the files of the corpus in the
# order of their names. FOLDER keeps the findings and the log. The log begins with a command that
# repeats the run without storing new inputs.
# A usual input takes milliseconds. An input that takes 5 minutes is treated as endless, even on
# a busy machine. A run that takes an hour longer than SECONDS is treated as endless, too.
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

# how_to_repeat FOLDER PROGRAM: prints the commands that repeat each finding in FOLDER, and the
# command that repeats the run.
how_to_repeat() {
	for input in "$1"/crash-* "$1"/leak-* "$1"/oom-* "$1"/timeout-*; do
		[ -e "$input" ] || continue
		echo "To repeat this finding: echo $(base64 -w 0 "$input") | base64 -d >input; $2 input"
	done
	echo "To repeat the run, call this in $PWD: $(head -n 1 "$1/log")"
}

# finding LOG: prints the first message of a harness or of a sanitizer in a log.
finding() {
	grep -m 1 -E '^(fuzz|FAILED): |runtime error:|ERROR: AddressSanitizer|ERROR: libFuzzer' "$1"
}
