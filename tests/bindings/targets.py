#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Do the headers of virtio-bindings define the same numbers on other machines?

usage: targets.py SRC WORK CLANG S390X_GCC CC...    a missing tool is an empty word

The host's numbers become assertions that are compiled for big-endian and 32-bit machines, for BSD,
and without an operating system. linux-6.18.tsv and newer.tsv list the numbers that differ on 32-bit
machines. expected() adds the sizes and alignments that the tables leave out.
"""
import os
import re
import sys

import headers

# The name, the compiler's target, and a column of the tables, counted from 0: this column has the
# numbers that differ on the target. None means that no number differs.
TARGETS = (
    ('32-bit x86', 'i386-linux-gnu', 3),
    ('32-bit ARM without an operating system', 'armv7-none-eabi', 4),
    ('32-bit MIPS, big-endian', 'mips-linux-gnu', 4),
    ('64-bit POWER, big-endian', 'powerpc64-linux-gnu', None),
    ('64-bit MIPS, big-endian', 'mips64-linux-gnuabi64', None),
    ('64-bit MIPS with 32-bit pointers', 'mips64-linux-gnuabin32', 4),
    ('64-bit ARM without an operating system', 'aarch64-none-elf', None),
    ('RISC-V', 'riscv64-none-elf', None),
    ('FreeBSD', 'x86_64-unknown-freebsd14', None),
    ('OpenBSD on 32-bit x86', 'i386-unknown-openbsd', 3),
)


def expected(header, key, value, different, x86_32):
    """Returns the number that a target must have for a key.

    On 32-bit machines the number is 4 for the size of a pointer in struct vring. On 32-bit x86 it
    is 4 for an alignment that is 8 on the host. Other numbers come from the table or, if the table
    lacks the key, from the host.
    """
    if different and value == 8 and re.fullmatch('size of (desc|avail|used) in struct vring', key):
        return 4
    if x86_32 and value == 8 and key.startswith('alignof '):
        return 4
    return different.get((header, key), value)


def assertions(header, dump, asked, different, x86_32):
    lines = [f'#include <stddef.h>\n#include <{headers.OURS.format(header)}>\n']
    for number, (key, expression) in enumerate(asked, 1):
        value = expected(header, key, dump[key], different, x86_32)
        lines.append(f'#line {number} "{key}"\n'
                     f'_Static_assert((unsigned long long)({expression}) == {value}ULL, "expected: {value}");\n')
    return ''.join(lines)


def check(name, command, column, questions, table):
    """Checks one target. Returns how many numbers were asserted, or None on failure."""
    asserted = 0
    different = {}
    if column is not None:
        different = {(row[0], row[1]): int(row[column]) for row in table if len(row) > column and row[column]}
    for header, (asked, dump) in questions.items():
        passed, errors = headers.compiles(command, assertions(header, dump, asked, different, column == 3))
        if not passed:
            print(f'FAILED: {headers.OURS.format(header)} for {name}:\n{errors[:2000]}')
            return None
        asserted += len(asked)
    print(f'{name}: {asserted} numbers')
    return asserted


def main():
    src, work, clang, s390x, *cc = sys.argv[1:]
    if not clang:
        print('skipped: no clang for other targets: apt-get install clang')
        sys.exit(77)
    os.makedirs(work, exist_ok=True)
    here = os.path.dirname(os.path.abspath(__file__))
    table = headers.read_table(os.path.join(here, 'linux-6.18.tsv'))
    # newer.tsv has the source of a number in column 3, and the number on 32-bit x86 in column 4,
    # counted from 0.
    table += [[*row[:3], *row[4:5]] for row in headers.read_table(os.path.join(here, 'newer.tsv'))]
    language = ['-std=gnu11', *headers.include_flags(src)]
    questions = {}
    for header in headers.NAMES:
        path = headers.OURS.format(header)
        asked = headers.questions([*cc, *language], [clang, *language], path)[0]
        questions[header] = asked, headers.answers([*cc, *language], path, asked, work)

    # No header of the host may be found. An empty sysroot is not enough, because clang knows the
    # host's folders.
    builtin = headers.run([clang, '-print-file-name=include']).strip()
    alone = ['-std=c11', '-ffreestanding', '-nostdinc', '-isystem', builtin, '-isystem',
             f'{src}/tests/checks/freestanding-include', *headers.include_flags(src), '-Wall', '-Wextra', '-Wpedantic',
             '-Werror']
    results = [check(name, [clang, f'--target={target}', *alone], column, questions, table)
               for name, target, column in TARGETS]
    if s390x:
        results.append(check('s390x, big-endian, with its C library', [s390x, *language, '-Wall', '-Wextra', '-Werror'],
                             None, questions, table))
    else:
        print('skipped: no compiler for s390x: apt-get install gcc-s390x-linux-gnu libc6-dev-s390x-cross')
    if None in results:
        sys.exit('some targets have other numbers')
    print(f'ok: {len(results)} targets')


if __name__ == '__main__':
    try:
        main()
    except headers.Failed as failed:
        sys.exit(f'FAILED: {failed}')
