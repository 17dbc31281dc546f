#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Do the headers of virtio-bindings define what Linux's headers define?

usage: compare.py SRC WORK CLANG CC...    CLANG may be an empty word

Compares every constant, and the size, alignment, offsets and types of every structure, with the
installed Linux headers. known_differences.tsv lists the differences of Linux 6.1. Another version
up to 6.18 may have some of these differences, but no further differences. Versions before 6.1 may
also lack names. Versions after 6.18 may have more names. Also compares our headers with
linux-6.18.tsv and newer.tsv. This comparison needs no installed headers.
"""
import fnmatch
import os
import sys

import headers

failures = 0


def fail(text):
    global failures
    failures += 1
    print(f'FAILED: {text}')


class Known:
    """A row of known_differences.tsv."""

    def __init__(self, header, what, linux, ours, since):
        self.header, self.what, self.linux, self.ours, self.since = header, what, linux, ours, since
        # The name of a structure stands for its size, its alignment and its members.
        self.pattern = '*' + what if what.startswith('struct ') else what
        self.found = False

    def explains(self, key, linux, ours):
        if not fnmatch.fnmatchcase(key, self.pattern):
            return False
        if '-' in (self.linux, self.ours):
            return (linux is None) == (self.linux == '-') and (ours is None) == (self.ours == '-')
        return ours == int(self.ours) and linux is not None and min(int(self.linux), ours) <= linux <= max(
            int(self.linux), ours)


def compare_with_linux(header, ours, linux, known, version):
    """Compares a header with Linux's. Returns how many values are the same."""
    known = [row for row in known if row.header == header]
    for key in sorted(ours.keys() | linux.keys()):
        mine, theirs = ours.get(key), linux.get(key)
        if mine == theirs:
            continue
        rows = [row for row in known if row.explains(key, theirs, mine)]
        if rows:
            rows[0].found = True
        elif theirs is None and version < (6, 1):
            print(f'the installed headers are older than 6.1: {header}: {key} is missing there')
        elif mine is None and version > (6, 18):
            print(f'the installed headers are newer than 6.18: {header}: {key} is missing here')
        else:
            fail(f'{header}: {key} is {mine} here, {theirs} in Linux')
    return sum(ours.get(key) == value for key, value in linux.items())


def installed_version(cc, work):
    """Returns the version of the installed Linux headers, or None if no headers are installed."""
    if not headers.compiles(cc, '#include <linux/version.h>\n#include <linux/virtio_ids.h>\n')[0]:
        return None
    code = headers.answers(cc, 'linux/version.h', [('code', 'LINUX_VERSION_CODE')], work)['code']
    return code >> 16, code >> 8 & 255


def compare_installed(cc, clang, work, ours, known):
    version = installed_version(cc, work)
    if version is None:
        print('skipped: no Linux header of virtio is installed')
        return
    same = 0
    for header in headers.NAMES:
        path = headers.LINUX.format(header)
        if not headers.compiles(cc, f'#include <{path}>\n')[0]:
            print(f'skipped: <{path}> is not installed')
            continue
        linux = headers.dump(cc, clang, path, work)
        same += compare_with_linux(header, ours[header], linux, known, version)
    if version == (6, 1):
        for row in known:
            if not row.found:
                fail(f'known_differences.tsv: {row.header}: {row.what} is no difference any more')
    for row in known:
        if row.found:
            print(f'known: {row.header}: {row.what}: {row.linux} in Linux {version[0]}.{version[1]}, {row.ours} here;'
                  f' {row.since}')
    print(f'{same} values are the same in Linux {version[0]}.{version[1]}')


def compare_with_table(path, ours):
    """Compares our headers with a table of numbers. Returns the table's keys by header."""
    rows = headers.read_table(path)
    keys = {}
    for header, what, value, *_ in rows:
        keys.setdefault(header, set()).add(what)
        if ours[header].get(what) != int(value):
            fail(f'{header}: {what} is {ours[header].get(what)} here, {value} in {os.path.basename(path)}')
    print(f'{len(rows)} values compared with {os.path.basename(path)}')
    return keys


def compare_tables(here, ours, known):
    """Checks our headers' names against the tables.

    Our headers must have each name of a table. If linux-6.18.tsv covers a header, each further
    constant or structure of ours must be marked "spec" or "ours" in known_differences.tsv.
    """
    crate = compare_with_table(os.path.join(here, 'linux-6.18.tsv'), ours)
    compare_with_table(os.path.join(here, 'newer.tsv'), ours)
    for header, keys in crate.items():
        ours_only = [row for row in known if row.header == header and row.since.startswith(('spec', 'ours'))]
        for key, value in ours[header].items():
            # The table has no typedefs, and no sizes of members.
            if isinstance(value, str) or key.startswith('size of ') or key.endswith('_t') or key in keys:
                continue
            if key.endswith('virtio_net_ctrl_ack') or any(row.explains(key, None, value) for row in ours_only):
                continue
            fail(f'{header}: {key} is not in Linux 6.18')


def main():
    src, work, clang, *cc = sys.argv[1:]
    here = os.path.dirname(os.path.abspath(__file__))
    if not clang:
        print('skipped: no clang, whose syntax tree has the structures: apt-get install clang')
        sys.exit(77)
    os.makedirs(work, exist_ok=True)
    language = ['-std=gnu11', *headers.include_flags(src)]
    cc, clang = [*cc, *language], [clang, *language]
    ours = {header: headers.dump(cc, clang, headers.OURS.format(header), work) for header in headers.NAMES}
    for name in os.listdir(os.path.join(src, 'virtio-bindings/include/virtio/bindings')):
        if name not in [f'virtio_{header}.h' for header in headers.NAMES] + ['virtio_net_hdr.h']:
            fail(f'{name} is not in the list of headers that are compared')
    known = [Known(*row) for row in headers.read_table(os.path.join(here, 'known_differences.tsv'))]
    compare_tables(here, ours, known)
    compare_installed(cc, clang, work, ours, known)
    if failures:
        sys.exit(f'{failures} differences')
    print(f'ok: {sum(map(len, ours.values()))} values in {len(ours)} headers')


if __name__ == '__main__':
    try:
        main()
    except headers.Failed as failed:
        sys.exit(f'FAILED: {failed}')
