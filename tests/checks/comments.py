#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Does every comment end within column 100?

usage: comments.py SRC

Checks the comments of C sources and headers, of scripts for the shell, awk and sed, of meson.build,
and of Python programs, where a docstring is a comment. A tab fills up to the next multiple of 8.
Code may be wider.
"""
import os
import re
import sys
import tokenize

WIDTH = 100

C_TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', re.S)


def c_comments(text):
    """Yields the numbers of all lines with comments, counted from 1."""
    for token in C_TOKEN.finditer(text):
        if token.group().startswith('/'):
            first = text.count('\n', 0, token.start()) + 1
            yield from range(first, first + token.group().count('\n') + 1)


def shell_comments(text):
    """Yields the numbers of lines with only a comment. After code, # may belong to a string."""
    for number, line in enumerate(text.split('\n'), 1):
        if line.lstrip().startswith('#'):
            yield number


def python_comments(path):
    with open(path, 'rb') as source:
        before = tokenize.NEWLINE
        for token in tokenize.tokenize(source.readline):
            docstring = token.type == tokenize.STRING and before in (
                tokenize.NEWLINE, tokenize.INDENT, tokenize.ENCODING)
            if token.type == tokenize.COMMENT or docstring:
                yield from range(token.start[0], token.end[0] + 1)
            if token.type not in (tokenize.NL, tokenize.COMMENT):
                before = token.type


def sources(src):
    for folder, folders, files in os.walk(src):
        folders[:] = [name for name in folders if not name.startswith('.')
                      and not os.path.exists(os.path.join(folder, name, 'meson-private'))
                      and os.path.join(folder, name) != os.path.join(src, 'build')]
        for name in files:
            if name.endswith(('.c', '.h', '.cc', '.sh', '.awk', '.sed', '.py', 'meson.build')):
                yield os.path.join(folder, name)


def check(path):
    """Returns the numbers of the lines on which a comment is too wide."""
    with open(path, encoding='utf-8') as source:
        text = source.read()
    lines = text.split('\n')
    if path.endswith('.py'):
        numbers = python_comments(path)
    else:
        scripts = ('.sh', '.awk', '.sed', 'meson.build')
        numbers = (shell_comments if path.endswith(scripts) else c_comments)(text)
    return sorted({n for n in numbers if len(lines[n - 1].expandtabs(8)) > WIDTH})


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    src, found, count = sys.argv[1], 0, 0
    for path in sorted(sources(src)):
        count += 1
        for number in check(path):
            name = os.path.relpath(path, src)
            print(f'FAILED: {name}:{number}: a comment goes beyond column {WIDTH}', file=sys.stderr)
            found += 1
    if count == 0:
        sys.exit('FAILED: no sources found')
    if found:
        sys.exit(f'{found} violation(s)')
    print(f'ok: {count} files')


main()
