#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Is each public function used outside the tests?

usage: used.py SRC

A header in include/virtio or virtio-*/include/virtio declares the public functions. The subfolders
inline/ (internal) and bindings/ (Linux's names) are left out. Each function must be used in the
libraries (a source or an inline body), in an example, or in a C block of a README.
"""
import glob
import os
import re
import sys

HEADERS = ('include/virtio/*.h', 'virtio-*/include/virtio/*.h')
USERS = ('virtio-*/src/*.[ch]', 'include/virtio/inline/*.h', 'virtio-*/include/virtio/inline/*.h', 'examples/**/*.[ch]')
READMES = ('README.md', '*/README.md', '*/*/README.md')

# A line without an indent declares or defines the function that it names. Calls are indented.
DECLARED = re.compile(r'^(?!#|typedef\b)\w[\w *]*?\b(virtio_\w+)\(', re.M)
COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"', re.S)
BLOCK = re.compile(r'^```c\n(.*?)^```$', re.M | re.S)


def read(path):
    with open(path, encoding='utf-8') as text:
        return text.read()


def files(src, patterns):
    return sorted(path for pattern in patterns for path in glob.glob(os.path.join(src, pattern), recursive=True))


def code(text):
    """Removes comments and strings from a C text, but not their line ends."""
    return COMMENT_OR_STRING.sub(lambda match: ' ' + '\n' * match.group().count('\n'), text)


def used_names(text):
    """Returns the names that a C text uses, outside declarations."""
    return set(re.findall(r'\bvirtio_\w+', DECLARED.sub('', code(text))))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    src = sys.argv[1]
    declared = {}
    for path in files(src, HEADERS):
        for name in DECLARED.findall(code(read(path))):
            declared.setdefault(name, os.path.relpath(path, src))
    used = set()
    for path in files(src, USERS):
        used |= used_names(read(path))
    for path in files(src, READMES):
        for block in BLOCK.findall(read(path)):
            used |= used_names(block)
    failures = [f'{declared[name]}: {name}() has no user in libraries, examples and READMEs'
                for name in sorted(declared, key=lambda name: (declared[name], name))
                if name not in used]
    if len(declared) < 100:
        failures.append(f'only {len(declared)} public functions found')
    for failure in failures:
        print('FAILED:', failure, file=sys.stderr)
    if failures:
        print(len(failures), 'violation(s)')
        sys.exit(1)
    print(f'ok: {len(declared)} public functions')


main()
