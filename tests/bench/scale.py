#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Shows how cost grows with the queue's size, the number of regions and the length of a chain.

usage: scale.py BENCH FOLDER [short]

Writes to FOLDER a table for each sweep, scale.md with all tables, and scale.svg from gnuplot.
Counts of instructions decide whether a cost is flat, logarithmic or linear, because counts repeat
exactly. The tables also have times. With "short", there are fewer sizes and fewer rounds of times.

Exits with 1 if a cost does not grow as it should. Exits with 77 if valgrind or its header is
missing, or if all costs grow as they should but gnuplot is missing.
"""
import math
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree

sys.dont_write_bytecode = True  # leave no files among the sources
import report

SKIPPED = 77


class Sweep:
    """Cases that differ in one number."""

    def __init__(self, name, title, cases, sizes, short_sizes, shapes):
        self.name, self.title, self.cases = name, title, cases
        self.sizes, self.short_sizes, self.shapes = sizes, short_sizes, shapes

    def case(self, load, size):
        return self.cases.replace("LOAD", load).replace("SIZE", str(size))


def doubling(first, last):
    return [1 << n for n in range(first.bit_length() - 1, last.bit_length())]


# The least number of descriptors of each load. A sweep lists, for each load, the shapes of growth
# that are accepted.
LOADS = {"W1": 1, "W2": 2, "W3": 2, "R": 2, "B": 2}
SWEEPS = [
    Sweep("queue", "queue size", "LOAD.qSIZE.x16", doubling(16, 32768), [16, 256, 32768],
          {"W1": ["flat"], "W2": ["flat"], "B": ["flat"]}),
    Sweep("regions", "regions", "LOAD.sSIZE", doubling(1, 512), [1, 8, 64, 512],
          {"W2": ["flat", "logarithmic"], "W3": ["flat", "logarithmic"], "B": ["flat", "logarithmic"]}),
    Sweep("length", "descriptors in a chain", "LOAD.nSIZE.q32768.d64.x4", doubling(1, 32768), [1, 2, 16, 256, 4096],
          {"W1": ["linear"], "R": ["linear"], "B": ["linear"]}),
]


def points(sweep, load, sizes):
    return [size for size in sizes if sweep.name != "length" or size >= LOADS[load]]


def shape(costs):
    """Returns the growth of a list of (size, cost): the first kind below that applies.

    flat         the largest cost is at most 5 % above the smallest
    linear       at the end the cost grows as a power of the size, with an exponent of 0.9 to 1.1
    logarithmic  at the end a doubling of the size adds at most twice the average of all doublings,
                 and the last two costs differ by less than half of the smaller cost
    neither      any other growth
    """
    (first, first_cost), (before, before_cost), (last, last_cost) = costs[0], costs[-2], costs[-1]
    every = [cost for _, cost in costs]
    if max(every) <= 1.05 * min(every):
        return "flat"
    if abs(math.log(last_cost / before_cost) / math.log(last / before) - 1) < 0.1:
        return "linear"
    average = (last_cost - first_cost) / math.log2(last / first)
    if (last_cost - before_cost) / math.log2(last / before) <= 2 * average and last_cost - before_cost < before_cost / 2:
        return "logarithmic"
    return "neither"


def count(bench, folder, cases):
    """Returns {case: instructions per chain}, or exits with the status of count.sh."""
    script = os.path.join(report.HERE, "count.sh")
    status = subprocess.call(["sh", script, os.path.join(folder, "counts"), bench, "--count", " ".join(cases), "inline"])
    if status:
        sys.exit(status)
    return {case: cost for (case, _), cost in report.read_dumps(os.path.join(folder, "counts", "dumps")).items()}


def lines_of(bench, rounds, *arguments):
    """Returns {case: [number, number]} from the output of the program."""
    environment = dict(os.environ, BENCH_ROUNDS=str(rounds))
    output = subprocess.run([bench, *arguments], env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    return {case: [float(number) for number in numbers] for case, *numbers in map(str.split, output.splitlines())}


def write(folder, name, text):
    with open(os.path.join(folder, name), "w") as file:
        file.write(text)


def write_sweep(folder, sweep, sizes, counts, times):
    """Writes the table of a sweep and the data for gnuplot. Returns the table."""
    rows, data = [], []
    for size in sizes:
        row, numbers = [str(size)], [str(size)]
        for load in sweep.shapes:
            case = sweep.case(load, size)
            row += [f"{counts[case]:.0f}", f"{times[case][0]:.1f}"] if case in counts else ["", ""]
            numbers += [f"{counts[case]:.1f}", f"{times[case][0]:.1f}"] if case in counts else ["NaN", "NaN"]
        rows.append(row)
        data.append(" ".join(numbers))
    head = [sweep.title] + [f"{load} {unit}" for load in sweep.shapes for unit in ("instructions", "ns")]
    table = report.markdown(head, rows) + "\n"
    write(folder, f"{sweep.name}.dat", "\n".join(data) + "\n")
    write(folder, f"by_{sweep.name}.md", table)
    return table


def growth_table(sizes_of, counts):
    """Returns the rows of the table, and the number of rows with a wrong growth."""
    rows, wrong = [], 0
    for sweep in SWEEPS:
        for load, allowed in sweep.shapes.items():
            sizes = points(sweep, load, sizes_of[sweep.name])
            costs = [(size, counts[sweep.case(load, size)]) for size in sizes]
            found = shape(costs)
            if found not in allowed:
                wrong += 1
                print(f"FAILED: {load} by {sweep.title} is {found}, not {' or '.join(allowed)}: {costs}")
            (first, first_cost), (last, last_cost) = costs[0], costs[-1]
            rows.append([sweep.title, load, found, f"{first_cost:.0f} at {first}", f"{last_cost:.0f} at {last}"])
    return rows, wrong


def draw(folder):
    """Draws scale.svg. Returns whether gnuplot is installed. Exits if a cost has no line."""
    if not shutil.which("gnuplot"):
        return False
    lines = sum(2 * len(sweep.shapes) for sweep in SWEEPS)
    subprocess.run(["gnuplot", os.path.join(report.HERE, "scale.gp")], cwd=folder, check=True)
    drawn = xml.etree.ElementTree.parse(os.path.join(folder, "scale.svg")).getroot()
    titles = [title for title in drawn.iter("{http://www.w3.org/2000/svg}title") if "_plot_" in (title.text or "")]
    plots = [group for group in drawn.iter("{http://www.w3.org/2000/svg}g") if "_plot_" in group.get("id", "")]
    if max(len(titles), len(plots)) < lines:
        sys.exit(f"FAILED: scale.svg has fewer than {lines} lines")
    return True


def main(bench, folder, short):
    os.makedirs(folder, exist_ok=True)
    sizes_of = {sweep.name: sweep.short_sizes if short else sweep.sizes for sweep in SWEEPS}
    cases = [sweep.case(load, size) for sweep in SWEEPS for load in sweep.shapes
             for size in points(sweep, load, sizes_of[sweep.name])]
    counts = count(bench, folder, cases)
    rows, wrong = growth_table(sizes_of, counts)
    rounds = 1 if short else 31
    times = lines_of(bench, rounds, "--times", " ".join(cases), "inline")
    threads = lines_of(bench, rounds, "--threads")
    tables = {
        "growth": report.markdown(["cost by", "case", "growth", "least", "most"], rows) + "\n",
        "threads": report.markdown(["case", "1 thread", "2 threads", "ratio"], [
            [case, f"{one:.1f}", f"{two:.1f}", f"{two / one:.2f}"] for case, (one, two) in threads.items()]) + "\n",
    }
    for name, table in tables.items():
        write(folder, f"{name}.md", table)
    for sweep in SWEEPS:
        tables[sweep.name] = write_sweep(folder, sweep, sizes_of[sweep.name], counts, times)
    write(folder, "scale.md", "\n".join(tables.values()))
    print("\n".join(tables.values()))
    drawn = draw(folder)
    if wrong:
        return 1
    if not drawn:
        print("skipped: gnuplot is not installed; all costs grow as they should")
        return SKIPPED
    print(f"{folder}/scale.md and {folder}/scale.svg are written")
    return 0


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or sys.argv[3:] not in ([], ["short"]):
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), len(sys.argv) == 4))
