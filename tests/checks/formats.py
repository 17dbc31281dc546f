#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Does virtio-queue-ser/README.md describe each section as the libraries write it?

usage: formats.py VIRTIO_STATE README

VIRTIO_STATE --sections prints the tables of the libraries. README has a chapter for each section,
with a table of the section's values. For most lists a further table describes an entry.
"""
import re
import subprocess
import sys

NAME = re.compile(r"[a-z][a-z0-9_]*(\[\d+\])?")


def from_program(program):
    """Maps a section's name to the lines that the program prints for the section."""
    sections = {}
    printed = subprocess.run([program, "--sections"], check=True, capture_output=True, text=True)
    for line in printed.stdout.splitlines():
        if not line.startswith(" "):
            lines = sections[line.split()[1]] = []
        lines.append(line)
    return sections


def value_lines(offset, size, text, indent):
    """Returns the lines that the program must print for a row. An array has a line per element."""
    bounds = re.match(r"([a-z_]+)\[(\d+)\] to \1\[(\d+)\]", text)
    if bounds:
        names = [f"{bounds[1]}[{n}]" for n in range(int(bounds[2]), int(bounds[3]) + 1)]
    else:
        names = [NAME.match(text)[0]]
    later = re.search(r"\(since (\d+), default (\d+)\)", text)
    rest = " bool" if re.search(r": bool\b", text) else ""
    rest += f" since {later[1]} default {later[2]}" if later else ""
    rest += " list" if re.search(r": count\b", text) else ""
    return [f"{indent}{offset + i * size} {size} {name}{rest}" for i, name in enumerate(names)]


class Section:
    """A chapter of the document, converted to the lines that the program must print."""

    def __init__(self, name, version):
        self.name = name
        self.lines = [f"section {name} version {version}"]
        self.each = None  # bytes of an entry, by version
        self.in_entry = False

    def add_row(self, offset, size, each, text):
        if each and not re.match(r"[a-z_]+\[", text):
            self.each = {int(self.lines[0].split()[-1]): size}
            for older in re.finditer(r"(\d+) each in version (\d+)", text):
                self.each[int(older[2])] = int(older[1])
            # A list of plain bytes has no table of an entry.
            if size == 1:
                self.lines.append("    0 1 byte")
            return
        self.lines += value_lines(offset, size, text, "    " if self.in_entry else "  ")


def from_document(path):
    sections, section = {}, None
    with open(path, encoding="utf-8") as document:
        for line in document:
            header = re.match(r"### Section `([^`]+)`, version (\d+)", line)
            if header:
                section = sections[header[1]] = Section(header[1], header[2])
            elif line.startswith("#"):
                section = None
            row = re.match(r"\| (\d+) \| (\d+)( each)? \| (.*) \|$", line)
            if section and line.startswith("| Offset"):
                section.in_entry = "| Value of a" in line
            elif section and row:
                section.add_row(int(row[1]), int(row[2]), row[3], row[4])
            elif section and line.startswith("|") and not line.startswith("|---"):
                sys.exit(f"{path}: a row that this check can't read: {line}")
    return sections


def entry_bytes(lines, version):
    """Returns the size of an entry in a version, computed from the program's lines."""
    total = 0
    for line in lines:
        since = re.search(r" since (\d+)", line)
        if line.startswith("    ") and (not since or int(since[1]) <= version):
            total += int(line.split()[1])
    return total


def main():
    program, path = sys.argv[1:]
    known, written = from_program(program), from_document(path)
    failures = [f"section {name}: not in both document and library" for name in known.keys() ^ written.keys()]
    for name in sorted(known.keys() & written.keys()):
        says = written[name]
        if says.lines != known[name]:
            failures += [f"{name}: the document says: {line.strip()}" for line in says.lines if line not in known[name]]
            failures += [f"{name}: the library says: {line.strip()}" for line in known[name] if line not in says.lines]
            failures.append(f"{name}: the document and the library differ")
        newest = int(known[name][0].split()[3])
        has_list = any(line.endswith(" list") for line in known[name])
        sizes = {v: entry_bytes(known[name], v) for v in range(1, newest + 1)} if has_list else {}
        different = {v: n for v, n in sizes.items() if v == newest or n != sizes[newest]}
        if different != (says.each or {}):
            failures.append(f"{name}: bytes of an entry by version: the document says {says.each}, "
                            f"the library {different}")
    print("\n".join(failures) or f"{len(known)} sections are as the document says")
    sys.exit(1 if failures or not known else 0)


main()
