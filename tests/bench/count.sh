#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Counts instructions per chain with callgrind, as the difference between two numbers of batches, and compares them with
# the checked-in table. One process counts all rows: BENCH asks callgrind for a dump of each.
# Counts repeat exactly, so a change of more than 2 % is a change of the code. Those that the table has goals for must
# also be no more than so many times the floor, and with 8 regions no more than 1.5 times what they are with one, or as often
# as the goal says.
# usage: count.sh BENCH TABLE 'COMPILER' FOLDER   exits with 77 where nothing can be compared
#        count.sh --table BENCH FOLDER            prints a table to check in
# FOLDER receives callgrind's dumps, and is made if it does not exist.
set -u

# count_rows: lines LOAD KIND REGIONS COUNT, of what each chain cost more in the longer one of two dumps.
count_rows() {
	mkdir -p "$folder" && rm -f "$folder"/dumps* || return 1
	# Debug information that is newer than valgrind ends it, and none is needed.
	objcopy --strip-debug "$bench" "$folder/bench" || return 1
	valgrind --tool=callgrind --instr-atstart=no --combine-dumps=yes --callgrind-out-file="$folder/dumps" \
		"$folder/bench" --count >"$folder/log" 2>&1
	status=$?
	if [ "$status" != 0 ]; then
		cat "$folder/log" >&2
		return "$status"
	fi
	awk '
		sub(/^desc: Trigger: Client Request: /, "") { split($0, name, ": "); row = name[1]; chains = name[2] + 0 }
		/^totals: / && row != "" {
			if (row in first_chains)
				printf "%s %.1f\n", row, int(($2 - first[row]) * 10 / (chains - first_chains[row])) / 10
			first[row] = $2; first_chains[row] = chains; row = ""
		}' "$folder/dumps"
}

# compare ROWS: a line for each row of the table or of ROWS; what differs begins with FAILED.
compare() {
	echo "$1" | awk '
		NR == FNR { if (NF == 4 && $1 !~ /^(#|goal)/) was[$1 " " $2 " " $3] = $4; next }
		NF == 4 {
			row = $1 " " $2 " " $3; now = $4; seen[row] = 1
			if (!(row in was)) print "FAILED: " row ": not in the table; now " now
			else if (now > was[row] * 1.02 + 0.5) print "FAILED: " row ": " now " instructions per chain, was " was[row]
			else if (now < was[row] * 0.98 - 0.5) print "FAILED: " row ": " now ", was " was[row] ": better; update the table"
			else print row, now
		}
		END {
			for (row in was)
				if (!(row in seen))
					print "FAILED: " row ": not counted"
			if (length(was) == 0)
				print "FAILED: the table has no rows"
		}' "$table" -
}

# goals_missed RESULTS: a line for each, of counts that are as in the table.
goals_missed() {
	echo "$1" | awk '
		NR == FNR { if ($1 == "goal") { goal[$2 " " $3] = $4; times[$2 " " $3] = $5 ? $5 : 1.5 } next }
		{ count[$1 " " $2 " " $3] = $4 }
		END {
			if (length(goal) == 0)
				print "FAILED: the table has no goals"
			for (what in goal) {
				split(what, name, " ")
				one = count[what " 1"]; eight = count[what " 8"]; floor = count[name[1] " floor 1"]
				# Those that differ from the table have been reported.
				if (one == "" || eight == "" || floor == "")
					continue
				if (one > goal[what] * floor)
					print "FAILED: " what ": " one " is more than " goal[what] " x the floor of " floor
				if (eight > times[what] * one)
					print "FAILED: " what ": with 8 regions " eight " is more than " times[what] " x " one
			}
		}' "$table" -
}

if [ "$1" = --table ]; then
	bench=$2 folder=$3
	count_rows
	exit
fi
bench=$1 table=$2 folder=$4
wanted=$(sed -n 's/^# compiler: //p' "$table")
if [ "$3" != "$wanted" ]; then
	echo "skipped: the table is for $wanted, this is $3"
	exit 77
fi
command -v valgrind >/dev/null || { echo 'skipped: valgrind is not installed'; exit 77; }
# The reason of a skipped test is the last line of its output.
rows=$(count_rows) || {
	status=$?
	grep '^skipped: ' "$folder/log"
	exit "$status"
}
results=$(compare "$rows")
results=$results$(goals_missed "$results" | sed '1s/^/\n/')
echo "$results"
case $results in
*FAILED*) exit 1 ;;
esac
