#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Counts instructions per chain with callgrind, as the difference between two numbers of batches, and compares them with
# the checked-in table. Counts repeat exactly, so a change of more than 2 % is a change of the code. Those that the table has
# goals for must also be no more than so many times the floor, and with 8 regions no more than 1.5 times what they are with one.
# usage: count.sh BENCH TABLE 'COMPILER'      exits with 77 where nothing can be compared
#        count.sh --table BENCH               prints a table to check in
set -u

# per_chain LOAD CHAINS-PER-BATCH KIND REGIONS: tenths of instructions.
per_chain() {
	few=$(count "$1" "$3" "$4" 10) && many=$(count "$1" "$3" "$4" 30) || return 1
	echo $(((many - few) * 10 / 20 / $2))
}

count() {
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$bench" "$@" 2>&1 |
		awk '/Collected/ { print $4; found = 1 } END { exit !found }'
}

# shellcheck disable=SC2317 # called by name
# Calls $1 for each row: LOAD CHAINS KIND REGIONS. The floor has one region.
each_row() {
	"$bench" --list | while read -r load chains; do
		for kind in floor inline called; do
			for regions in 1 8; do
				[ "$kind $regions" = 'floor 8' ] || "$1" "$load" "$chains" "$kind" "$regions"
			done
		done
	done
}

print_row() {
	tenths=$(per_chain "$@") || exit 1
	echo "$1 $3 $4 $((tenths / 10)).$((tenths % 10))"
}

compare_row() {
	tenths=$(per_chain "$@") || { echo "FAILED: $1 $3 $4: cannot be counted"; return; }
	awk -v row="$1 $3 $4" -v now="$((tenths / 10)).$((tenths % 10))" '
		$1 " " $2 " " $3 == row { was = $4 }
		END {
			if (was == "") print "FAILED: " row ": not in the table; now " now
			else if (now > was * 1.02 + 0.5) print "FAILED: " row ": " now " instructions per chain, was " was
			else if (now < was * 0.98 - 0.5) print "FAILED: " row ": " now ", was " was ": better; update the table"
			else print row, now
		}' "$table"
}

# goals_missed RESULTS: a line for each, of counts that are as in the table.
goals_missed() {
	echo "$1" | awk '
		NR == FNR { if ($1 == "goal") goal[$2 " " $3] = $4; next }
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
				if (eight > 1.5 * one)
					print "FAILED: " what ": with 8 regions " eight " is more than 1.5 x " one
			}
		}' "$table" -
}

if [ "$1" = --table ]; then
	bench=$2
	each_row print_row
	exit
fi
bench=$1 table=$2
wanted=$(sed -n 's/^# compiler: //p' "$table")
if [ "$3" != "$wanted" ]; then
	echo "skipped: the table is for $wanted, this is $3"
	exit 77
fi
command -v valgrind >/dev/null || { echo 'skipped: valgrind is not installed'; exit 77; }
results=$(each_row compare_row)
results=$results$(goals_missed "$results" | sed '1s/^/\n/')
echo "$results"
case $results in
*FAILED*) exit 1 ;;
*W5*) exit 0 ;;
esac
echo 'FAILED: nothing was counted'
exit 1
