# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Prints the example of a README that one test runs. The example is the block of C after the line
# "<!-- run by tests/readme/NAME.c -->". In messages about the example, compilers name the README
# and its line.
# usage: awk -v name=NAME -v file=README -f example.awk README
$0 == "<!-- run by tests/readme/" name ".c -->" { wanted = 1; next }
wanted && /^```c$/ { inside = 1; wanted = 0; found++; printf "#line %d \"%s\"\n", FNR + 1, file; next }
inside && /^```$/ { inside = 0; next }
inside { print }
wanted && !/^$/ { wanted = 0 }
END {
	if (found != 1) {
		printf "%s: %d examples for tests/readme/%s.c\n", file, found, name >"/dev/stderr"
		exit 1
	}
}
