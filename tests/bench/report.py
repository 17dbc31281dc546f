#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Compares counts of instructions with the records and the bars.

instructions.txt has the records. targets.txt has the bars: the most that a chain may cost.

usage:
  report.py rows DUMPS
      prints a line for each count: case, kind, instructions per chain
  report.py check COMPILER DUMPS
      compares with the records of a compiler, such as "gcc 12". Exits with 1 if a count differs
      from its record, or if a bar is no longer reached. Exits with 77 if there are no records for
      this compiler.
  report.py record COMPILER DUMPS...
      writes the records of each compiler, and the tables of the records in README.md
  report.py paste NAME FILE
      puts the table in FILE into README.md, as the table NAME
  report.py readme
      exits with 1 if README.md does not have the tables of the records
"""
import itertools
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE, TARGETS, README = (os.path.join(HERE, name) for name in ("instructions.txt", "targets.txt", "README.md"))
# Counts repeat exactly with one compiler of one distribution. Functions of the C library other than
# memcpy() may cost more on another machine.
TOLERANCE, SLACK = 0.01, 0.5


def read_dumps(path):
    """Returns {(case, kind): instructions per chain}, from the difference between two dumps."""
    counts, first, name = {}, {}, None
    with open(path) as dumps:
        for line in dumps:
            if line.startswith("desc: Trigger: Client Request: "):
                row, chains = line.split(": ", 3)[3].split(": ")
                name, chains = tuple(row.split()), int(chains.split()[0])
            elif line.startswith("totals: ") and name:
                total = int(line.split()[1])
                if name in first:
                    counts[name] = round((total - first[name][0]) / (chains - first[name][1]), 1)
                first[name], name = (total, chains), None
    return counts


def read_table():
    """Returns the compilers, as ["gcc 12", "clang 14"], and {(case, kind): [count by compiler]}."""
    compilers, rows = [], {}
    with open(TABLE) as table:
        for line in table:
            if line.startswith("# compilers: "):
                compilers = line.split(": ")[1].strip().split(", ")
            elif not line.startswith("#"):
                case, kind, *counts = line.split()
                rows[case, kind] = [float(count) for count in counts]
    return compilers, rows


def expand(text):
    """Returns the texts that a text with {a,b} stands for: one with a, and one with b."""
    parts = [part[1:-1].split(",") if part.startswith("{") else [part] for part in re.split(r"(\{.*?\})", text)]
    return ["".join(choice) for choice in itertools.product(*parts)]


class Target:
    """A row and its bar. The bar is a count, or a multiple of the count of another row."""

    def __init__(self, line, case, kind, limit, of):
        self.line, self.case, self.kind, self.limit, self.of = line, case, kind, limit, of

    def value(self, counts):
        return count_of(counts, self.case, self.kind)

    def bar(self, counts):
        return self.limit * count_of(counts, *self.of) if self.of else self.limit

    def share(self, counts):
        return self.value(counts) / self.bar(counts)

    def reached(self, counts):
        return self.value(counts) <= self.bar(counts) + 0.05

    def words(self, counts):
        return f"{self.case} {self.kind}: {self.value(counts):.0f}, bar {self.bar(counts):.0f}"


def read_targets():
    """Returns a list of targets in the order of the file. Targets of one line share their text."""
    targets = []
    with open(TARGETS) as lines:
        for line in lines:
            if line.startswith("#") or not line.strip():
                continue
            words = line.split()
            for case, kind in itertools.product(expand(words[0]), expand(words[1])):
                of = None
                if len(words) > 3:
                    of = (case if words[4] == "=" else words[4], kind if words[5] == "=" else words[5])
                targets.append(Target(line.strip(), case, kind, float(words[2]), of))
    return targets


def count_of(counts, case, kind):
    """Returns the count of a row. @kind may name a compiler (inline@clang). The default is gcc."""
    kind, _, compiler = kind.partition("@")
    return counts[compiler or "gcc"][case, kind]


def by_compiler(compilers, rows):
    """Returns {"gcc": {row: count}, "clang": ...}."""
    return {c.split()[0]: {row: counts[i] for row, counts in rows.items()} for i, c in enumerate(compilers)}


def compare(was, now):
    """Prints a line for each row, and returns the number of rows that differ."""
    failed = 0
    for row in list(was) + [row for row in now if row not in was]:
        name = " ".join(row)
        if row not in now:
            words = f"FAILED: {name}: not counted"
        elif row not in was:
            words = f"FAILED: {name}: not recorded; now {now[row]}"
        elif now[row] > was[row] * (1 + TOLERANCE) + SLACK:
            words = f"FAILED: {name}: {now[row]} instructions per chain, recorded {was[row]}"
        elif now[row] < was[row] * (1 - TOLERANCE) - SLACK:
            words = f"FAILED: {name}: {now[row]}, recorded {was[row]}: better; record it (sh tests/bench.sh --record)"
        else:
            words = f"{name} {now[row]}"
        failed += words.startswith("FAILED")
        print(words)
    return failed


def check(compiler, dumps):
    compilers, rows = read_table()
    if compiler not in compilers:
        print(f"skipped: the counts are recorded for {', '.join(compilers)}; this is {compiler}")
        return 77
    recorded = by_compiler(compilers, rows)
    counts = dict(recorded)
    family = compiler.split()[0]
    counts[family] = read_dumps(dumps)
    failed = compare(recorded[family], counts[family])
    # A target may compare two rows, so targets are judged only if no row has failed.
    targets = [] if failed else read_targets()
    missed = [target for target in targets if not target.reached(counts)]
    for target in missed:
        if target.reached(recorded):
            failed += 1
            print(f"FAILED: no longer reached: {target.words(counts)}")
        else:
            print(f"not reached yet: {target.words(counts)}")
    print(f"{len(targets) - len(missed)} of {len(targets)} bars reached")
    return 1 if failed else 0


def record(pairs):
    """Writes the records and the tables. @pairs is a list: compiler, dumps, compiler, dumps ..."""
    compilers, counted = pairs[::2], [read_dumps(path) for path in pairs[1::2]]
    with open(TABLE, "w") as table:
        table.write(
            "# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause\n"
            "# Instructions per chain on x86-64: case, kind, and a count for each compiler.\n"
            "# Made by: sh tests/bench.sh --record\n"
            f"# compilers: {', '.join(compilers)}\n"
        )
        for row in counted[0]:
            print(*row, *(counts[row] for counts in counted), file=table)
    with open(README) as file:
        text = file.read()
    with open(README, "w") as file:
        file.write(with_tables(text))
    return 0


def markdown(head, rows):
    lines = [head, ["---"] * len(head)] + rows
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def usual_table(counts):
    """Returns a table: a row for each case, with counts and their ratios to the baseline."""
    rows = []
    for case in "W1 W2 W3 W5 T S R B B.t F Ct Cr Vt Vr M".split():
        base = counts["gcc"][case, "baseline"]
        row = [case, f"{base:.0f}"]
        for kind in ("inline", "called"):
            count = counts["gcc"].get((case, kind))
            row += [f"{count:.0f}", f"{count / base:.1f}"] if count else ["", ""]
        rows.append(row)
    return markdown("case baseline inline x called x".split(), rows)


def grid_table(cases, columns):
    """Returns a function that makes a table: a row for each case, a column for each modifier.

    In @columns, "-" is no modifier. Counts are inline, or called if there is no inline count.
    """

    def cell(counts, case):
        count = counts["gcc"].get((case, "inline"), counts["gcc"].get((case, "called")))
        return f"{count:.0f}" if count else ""

    def make(counts):
        modifiers = columns.replace("-", "").split(" ")
        rows = [[case] + [cell(counts, case + modifier) for modifier in modifiers] for case in cases.split()]
        return markdown(["case"] + [modifier or "usual" for modifier in modifiers], rows)

    return make


def lengths_table(counts):
    """Returns a table: rows for loads with and without ".t" and ".r8", a column for each length."""
    names = itertools.product("W2 R B".split(), ["", ".t"], ["", ".r8"])
    lengths = "n2 n4 n16 n64".split()
    rows = []
    for load, place, regions in names:
        found = [counts["gcc"].get((f"{load}.{n}{place}{regions}", "inline")) for n in lengths]
        if found[0]:
            rows.append([f"{load}.n{place}{regions}"] + [f"{count:.0f}" for count in found])
    return markdown(["case"] + lengths, rows)


def compilers_table(counts):
    rows = []
    for case in "W1 W2 W3 W5 T S R B B.t F Ct Cr Vt Vr M".split():
        kind = "inline" if (case, "inline") in counts["gcc"] else "called"
        gcc, clang = (counts[c][case, kind] for c in ("gcc", "clang"))
        rows.append([case, f"{gcc:.0f}", f"{clang:.0f}", f"{clang / gcc:.2f}"])
    return markdown("case gcc clang ratio".split(), rows)


def targets_table(counts):
    """Returns a table: a row for each line of targets.txt, with the worst of its cases."""
    rows = []
    for line, group in itertools.groupby(read_targets(), key=lambda target: target.line):
        group = list(group)
        worst = max(group, key=lambda target: target.share(counts))
        reached = sum(target.reached(counts) for target in group)
        words = line.split()
        bar = " ".join(word for word in words[2:] if word != "=")
        rows.append([f"`{words[0]}`", words[1], bar, worst.case,
                     f"{worst.value(counts):.0f}", f"{worst.bar(counts):.0f}",
                     "yes" if reached == len(group) else "no" if not reached else f"{reached} of {len(group)}"])
    return markdown(["cases", "kind", "bar", "worst", "count", "bar", "reached"], rows)


TABLES = {
    "usual": usual_table,
    "bursts": grid_table("W1 W2 W3 W5 B B.t", "- .x16 .x4 .x1"),
    "alone": grid_table("S F F.t Ct Cr Vt Vr", "- .x1"),
    "regions": grid_table("W2 W3 B B.t Ct Cr Vt Vr", "- .b8 .r2 .r8 .s2 .s8"),
    "lengths": lengths_table,
    "dirty": grid_table("W1 W2 B B.t", "- .lh .ls"),
    "compilers": compilers_table,
    "bars": targets_table,
}


def with_tables(text):
    """Returns the text with each table of TABLES made again between its two marks."""
    counts = by_compiler(*read_table())

    def table(found):
        # Leaves a table that is not in TABLES unchanged, because "paste" makes such a table.
        return f"{found[1]}\n{TABLES[found[2]](counts)}\n<!-- end -->" if found[2] in TABLES else found[0]

    return re.sub(r"(<!-- table (\w+):[^\n]*-->)\n.*?<!-- end -->", table, text, flags=re.S)


def paste(name, path):
    """Puts the lines of the file that form a table into README.md."""
    with open(path) as file:
        lines = [line for line in file if line.startswith("|")]
    with open(README) as file:
        text = file.read()
    mark = re.compile(rf"(<!-- table {name}:[^\n]*-->\n).*?(<!-- end -->)", flags=re.S)
    with open(README, "w") as file:
        file.write(mark.sub(lambda found: found[1] + "".join(lines) + found[2], text))
    return 0


def readme():
    with open(README) as file:
        text = file.read()
    missing = [name for name in TABLES if f"<!-- table {name}:" not in text]
    for name in missing:
        print(f"FAILED: README.md has no table {name}")
    if text != with_tables(text):
        print("FAILED: the tables of README.md do not match instructions.txt; make them by sh tests/bench.sh --record")
        return 1
    return 1 if missing else 0


def main(words):
    if len(words) == 2 and words[0] == "rows":
        for row, count in read_dumps(words[1]).items():
            print(*row, count)
        return 0
    if len(words) == 3 and words[0] == "check":
        return check(words[1], words[2])
    if len(words) > 2 and len(words) % 2 and words[0] == "record":
        return record(words[1:])
    if len(words) == 3 and words[0] == "paste":
        return paste(words[1], words[2])
    if words == ["readme"]:
        return readme()
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
