# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Prints C sources as FILE:LINE:CODE. Leaves #include lines as they are. In all other lines, removes
# comments and empties literals.
# With -v statements=1, joins lines until a line ends in ; { or }.

FNR == 1 {
	comment = 0
	held = ""
}

function stripped(line,    out, what) {
	out = ""
	while (line != "") {
		if (comment) {
			if (!match(line, /\*\//))
				return out
			comment = 0
			line = substr(line, RSTART + 2)
		} else if (!match(line, /\/\*|\/\/|"|'/)) {
			return out line
		} else {
			what = substr(line, RSTART, RLENGTH)
			out = out substr(line, 1, RSTART - 1)
			line = substr(line, RSTART + RLENGTH)
			if (what == "//")
				return out
			if (what == "/*") {
				comment = 1
				out = out " "
			} else {
				out = out what what
				if (match(line, what == "'" ? "^([^'\\\\]|\\\\.)*'" : "^([^\"\\\\]|\\\\.)*\""))
					line = substr(line, RLENGTH + 1)
			}
		}
	}
	return out
}

{
	text = $0 ~ /^[ \t]*#[ \t]*include/ ? $0 : stripped($0)
	if (statements) {
		held = held " " text
		if (text !~ /[;{}][ \t]*$/)
			next
		text = held
		held = ""
	}
	print FILENAME ":" FNR ":" text
}
