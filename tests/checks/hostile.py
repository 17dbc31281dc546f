#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Do the tables of hostile cases and of front ends name tests that exist?

Do the comments agree with the table of hostile cases?

usage: hostile.py SRC

Reads SRC/tests/hostile.md, whose head describes a row, and every text file of the libraries,
examples, tests and fuzzers. A comment refers to cases as "hostile 3", "hostile 3, 4 and 7" or
"hostile 3 to 7". It refers to regressions as "regression R3" or "regressions R3, R4 and R7".
Capital letters and line ends do not matter. Demands:

- Each number has exactly one row, and the rows are in order.
- A row names existing tests in files that refer to the row's number, or gives a reason in words.
- Each reference is to a row that names tests.
- Each row of SRC/tests/vhost-user/front_ends.md names a test that exists, and each test in
  front_ends_test.c has a row there.
"""
import os
import re
import sys

TABLE = 'tests/hostile.md'
FRONT_ENDS = 'tests/vhost-user/front_ends.md'
OWN_TESTS = 'front_ends_test.c'
CASES = 244
REGRESSIONS = 38
FOLDERS = re.compile(r'include|examples|fuzz|tests|virtio-[a-z-]+')
# Files that are not searched: the table, this check, and the inputs of the fuzzers.
LEFT_OUT = re.compile(r'tests/hostile\.md|tests/checks/hostile\.py|fuzz/(.*/)?corp(us|ora)/.*')

# Matches blanks within a line, or a line break within a comment.
BLANK = r'(?:[ \t]+|[ \t]*\n[ \t]*(?:\*|#|//)?[ \t]*)'


def numbers(kind, one):
    """Returns a pattern that matches the word `kind` and a list of numbers after the word. Each
    number matches the pattern `one`."""
    return re.compile(rf'\b{kind}{BLANK}({one}\b(?:(?:,?{BLANK}and{BLANK}|{BLANK}to{BLANK}|,{BLANK}){one}\b)*)', re.I)


REFERENCES = (numbers('hostile', r'\d+'), numbers('regressions?', r'R\d+'))
LOOSE = re.compile(r'\bR\d+\b')
ROW = re.compile(r'\|\s*(R?\d+)\s*\|(.*)\|\s*$')
TEST = re.compile(r'[A-Za-z0-9_./-]+:[A-Za-z0-9_-]+')

failures = []


def fail(file, line, what):
    failures.append(f'{file}:{line}: {what}')


def read(path):
    """Returns a file's text, or None if the file is not text."""
    try:
        with open(path, encoding='utf-8') as text:
            return text.read()
    except UnicodeDecodeError:
        return None


def expand(words):
    """Returns all numbers of a list such as "3, 4 and 7 to 9" or "R3 and R4". Keeps each R."""
    found = []
    for first, last in re.findall(rf'R?(\d+)(?:{BLANK}to{BLANK}R?(\d+))?', words, re.I):
        found += range(int(first), int(last or first) + 1)
    return [f'R{n}' if words[0] in 'Rr' else str(n) for n in found]


def references(file, text):
    """Yields number and line of each reference. Reports R numbers without the word regression."""
    spans = []
    for pattern in REFERENCES:
        for match in pattern.finditer(text):
            spans.append(match.span())
            for number in expand(match.group(1)):
                yield number, text.count('\n', 0, match.start()) + 1
    for match in LOOSE.finditer(text):
        if not any(start <= match.start() < end for start, end in spans):
            fail(file, text.count('\n', 0, match.start()) + 1, f'"{match.group()}" without the word regression')


def sources(src):
    """Yields the names of all files that may refer to a case."""
    for folder, folders, files in os.walk(src):
        if folder == src:
            folders[:] = [name for name in folders if FOLDERS.fullmatch(name)]
            continue
        # Skips build folders.
        folders[:] = [name for name in folders if not os.path.isdir(os.path.join(folder, name, 'meson-private'))
                      and name != '__pycache__']
        for name in sorted(files):
            file = os.path.relpath(os.path.join(folder, name), src)
            if not LEFT_OUT.fullmatch(file):
                yield file


def read_rows(text):
    """Returns the line and the tests of each number's row. Reports bad rows and repeated rows."""
    rows = {}
    for line, row in enumerate(text.splitlines(), 1):
        match = ROW.match(row)
        if not match:
            if row.startswith('|') and not re.match(r'\|( Number \||[ |-]+$)', row):
                fail(TABLE, line, 'not a row: it does not begin with a number')
            continue
        number, fields = match.group(1), [field.strip() for field in match.group(2).split('|')]
        if len(fields) != 3 or not all(fields):
            fail(TABLE, line, f'{number} needs an input, an outcome, and a test or a reason')
        elif number in rows:
            fail(TABLE, line, f'{number} has two rows; the first is in line {rows[number][0]}')
        else:
            rows[number] = (line, fields[2])
    return rows


def defines(text, name):
    """Returns whether a C source defines a function and, in a cmocka program, registers it."""
    if not re.search(rf'^(?:static )?(?:\w+ )+\*?{name}\(', text, re.M):
        return False
    registered = len(re.findall(rf'\b{name}\b', text)) > 1
    return name == 'main' or registered or 'cmocka' not in text


def check_tests(src, number, line, tests, referring):
    """Checks that each test of a row exists, and that its file refers to the row."""
    for test in re.findall(r'`([^`]*)`', tests):
        if not TEST.fullmatch(test):
            fail(TABLE, line, f'{number}: "{test}" is not FILE:TEST')
            continue
        file, name = test.split(':')
        file = 'tests/' + file
        text = read(os.path.join(src, file)) if os.path.isfile(os.path.join(src, file)) else None
        if text is None:
            fail(TABLE, line, f'{number}: there is no file {file}')
        elif not (defines(text, name) if file.endswith('.c') else name in text):
            fail(TABLE, line, f'{number}: {file} has no test {name}')
        elif file not in referring.get(number, {}):
            fail(TABLE, line, f'{number}: {file} does not refer to this number')


def check_row(src, number, line, tests, referring):
    if '`' not in tests:
        for file, where in referring.get(number, {}).items():
            fail(file, where, f'refers to {number}, for which {TABLE}:{line} has a reason and no test')
    elif re.sub(r'`[^`]*`', '', tests).strip(', '):
        fail(TABLE, line, f'{number}: a row has either tests or words, not both')
    else:
        check_tests(src, number, line, tests, referring)


def check_front_ends(src):
    """Checks the table of front ends: its tests exist, and it lists all tests of OWN_TESTS."""
    folder = os.path.join(src, 'tests', 'vhost-user')
    named = set()
    rows = 0
    for line, row in enumerate(read(os.path.join(src, FRONT_ENDS)).splitlines(), 1):
        if not row.startswith('|') or re.match(r'\|( Front end \||[ |-]+$)', row):
            continue
        rows += 1
        fields = [field.strip() for field in row.strip('|').split('|')]
        test = re.fullmatch(r'`(?:(\w+\.c):)?(\w+)`', fields[-1])
        if len(fields) != 4 or not all(fields) or not test:
            fail(FRONT_ENDS, line, 'not a front end, what it does, what the daemon does, and a test')
            continue
        file = test.group(1) or OWN_TESTS
        text = read(os.path.join(folder, file)) if os.path.isfile(os.path.join(folder, file)) else None
        if text is None:
            fail(FRONT_ENDS, line, f'there is no file tests/vhost-user/{file}')
        elif not defines(text, test.group(2)):
            fail(FRONT_ENDS, line, f'{file} has no test {test.group(2)}')
        elif file == OWN_TESTS:
            named.add(test.group(2))
    if rows == 0:
        fail(FRONT_ENDS, 1, 'no row')
    for test in re.findall(r'cmocka_unit_test\((\w+)\)', read(os.path.join(folder, OWN_TESTS))):
        if test not in named:
            fail(FRONT_ENDS, 1, f'no row names {test}')


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    src = sys.argv[1]
    rows = read_rows(read(os.path.join(src, TABLE)))
    expected = [str(n) for n in range(1, CASES + 1)] + [f'R{n}' for n in range(1, REGRESSIONS + 1)]
    for number in expected:
        if number not in rows:
            fail(TABLE, 1, f'{number} has no row')
    in_order = [number for number in rows if number in expected]
    for number in rows:
        if number not in expected:
            fail(TABLE, rows[number][0], f'{number} is past the last number')
    if in_order != sorted(in_order, key=expected.index):
        fail(TABLE, 1, 'the rows are not in order')
    referring = {}
    count = 0
    for file in sources(src):
        text = read(os.path.join(src, file))
        for number, line in references(file, text) if text else ():
            count += 1
            referring.setdefault(number, {}).setdefault(file, line)
            if number not in rows:
                fail(file, line, f'{number} has no row in {TABLE}')
    for number, (line, tests) in rows.items():
        check_row(src, number, line, tests, referring)
    if count == 0:
        fail(TABLE, 1, 'nothing refers to any row')
    check_front_ends(src)
    for failure in failures:
        print('FAILED:', failure, file=sys.stderr)
    if failures:
        print(len(failures), 'violation(s)')
        sys.exit(1)
    tested = sum('`' in tests for _, tests in rows.values())
    print(f'ok: {len(rows)} cases, {tested} with tests, {count} references')


main()
