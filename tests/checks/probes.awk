# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# From a wire header in this project's format, prints a line NAME<tab>EXPRESSION for each constant, for each structure's
# size, and for the offset and size of each of its members, those of nested structures included.

function emit(name, expression) {
	print name "\t" expression
}

/^#define [A-Z][A-Z0-9_]* ./ { emit($2, $2) }

depth == 0 && /^struct [a-z0-9_]+ \{$/ {
	depth = 1
	tag = $2
	emit("sizeof " tag, "sizeof(struct " tag ")")
	count = 0
	next
}

# A nested structure's members get its name in front when that is known, at its end.
depth > 0 && /^\t+(struct|union)( [a-z0-9_]+)? \{$/ {
	first[depth++] = count + 1
	next
}

depth > 1 && /^\t+\}( [a-z0-9_]+)?;/ {
	name = $2
	sub(/;.*/, "", name)
	depth--
	if (name != "") {
		for (i = first[depth]; i <= count; i++)
			member[i] = name "." member[i]
		member[++count] = name
	}
	next
}

depth == 1 && /^\}/ {
	for (i = 1; i <= count; i++) {
		emit("offset of " member[i] " in " tag, "offsetof(struct " tag ", " member[i] ")")
		if (!(member[i] in flexible))
			emit("size of " member[i] " in " tag, "sizeof((struct " tag " *)0)->" member[i])
	}
	delete flexible
	depth = 0
	next
}

depth > 0 && /^\t+[a-z].*;/ {
	text = $0
	sub(/;.*/, "", text)
	open_ended = text ~ /\[\]$/
	sub(/(\[[^\]]*\])+$/, "", text)
	sub(/.*[ *]/, "", text)
	member[++count] = text
	if (open_ended)
		flexible[text]
}
