#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Divides the instructions of a case among the functions of the sources, inlined or not.

usage: steps.py BENCH FOLDER CASE KIND     prints a line for each function: instructions per chain
       steps.py BENCH FOLDER missed        prints a table of the bars that the records do not reach

callgrind counts by line, and the lines of a function are one step. callgrind's output goes to
FOLDER.
"""
import collections
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True  # leave no files among the sources
import report

CHAINS = 2560


def functions(path, known={}):
    """Returns {line: name of its function} for the lines of a source."""
    if path in known:
        return known[path]
    names, name, start, inside = {}, None, 0, False
    with open(path) as source:
        for number, line in enumerate(source, 1):
            found = re.match(r"[A-Za-z].*?(\w+)\(", line)
            if found and not line.startswith(("#", "typedef")) and not inside:
                name, start = found[1], number
            if line.startswith("{") and name:
                inside = True
                names.update(dict.fromkeys(range(start, number), name))
            if inside:
                names[number] = name
            if line.startswith("}"):
                inside, name = False, None
    known[path] = names
    return names


def read_lines(path):
    """Yields (file, function, line, instructions) of each line of cost in callgrind's output."""
    names, file, function, line, skip = {}, None, None, 0, False
    with open(path) as output:
        for text in output:
            found = re.match(r"(c?)f(n|[lie])=(\(\d+\))(?: (.*))?", text)
            if found:
                called, key = found[1], (found[2] == "n", found[3])
                names[key] = found[4] or names.get(key)
                if key[0] and not called:
                    function = names[key]
                elif not called:
                    file = names[key]
                continue
            cost = re.match(r"([+-]?\d+|\*) (\d+)$", text)
            if cost:
                line = line if cost[1] == "*" else line + int(cost[1]) if cost[1][0] in "+-" else int(cost[1])
                if not skip:
                    yield file, function, line, int(cost[2])
                skip = False
            # Skips the line after "calls=". That line has the cost of the callee, whose own lines
            # are counted already.
            skip = text.startswith("calls=") or (skip and not cost)


def count_steps(bench, folder, case, kind):
    """Returns [(function, instructions per chain)], the largest first."""
    output = os.path.join(folder, "steps.out")
    os.makedirs(folder, exist_ok=True)
    subprocess.run(
        ["valgrind", "--tool=callgrind", "--dump-line=yes", "--toggle-collect=serve_once",
         f"--callgrind-out-file={output}", bench, case, kind, str(CHAINS)],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    steps = collections.Counter()
    for file, function, line, instructions in read_lines(output):
        name = functions(file).get(line) if file and os.path.isfile(file) else None
        # The macro LOOP defines a loop's function, so the name comes from the symbol.
        steps[function if name in (None, "LOOP") else name] += instructions
    return [(name, instructions / CHAINS) for name, instructions in steps.most_common()]


def short(name):
    return re.sub(r"^(virtio|baseline|inline|called|library)_(impl_)?", "", name)


def missed(bench, folder):
    """Prints a row for each case with a bar that is not reached, with the steps that cost most."""
    counts = report.by_compiler(*report.read_table())
    cases = {(target.case, target.kind): target for target in report.read_targets()
             if "@" not in target.kind and not target.reached(counts)}
    rows = []
    for (case, kind), target in cases.items():
        steps = count_steps(bench, folder, case, kind)
        shown = [f"{short(name)} {cost:.0f}" for name, cost in steps[:12] if cost >= 2]
        rest = sum(cost for _, cost in steps) - sum(cost for _, cost in steps[:len(shown)])
        rows.append([case, kind, f"{target.value(counts):.0f}", f"{target.bar(counts):.0f}",
                     ", ".join(shown) + f", others {rest:.0f}"])
    print(report.markdown(["case", "kind", "count", "bar", "steps"], rows))


def main(words):
    if len(words) == 3 and words[2] == "missed":
        missed(words[0], words[1])
        return 0
    if len(words) == 4:
        for name, cost in count_steps(*words):
            print(f"{cost:8.1f}  {name}")
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
