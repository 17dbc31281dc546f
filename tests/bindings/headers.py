# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Lists what a C header defines.

Macros come from the preprocessor's list of definitions. Structures and enumerators come from
clang's syntax tree. Numbers come from a program that is compiled and run. This module does not
parse the text of a header itself.
"""
import json
import os
import pathlib
import re
import subprocess

NAMES = ('balloon', 'blk', 'config', 'console', 'crypto', 'fs', 'gpu', 'ids', 'input', 'iommu', 'mem', 'mmio', 'net',
         'pci', 'pmem', 'ring', 'rng', 'scsi', 'snd', 'types', 'vsock')
OURS = 'virtio/bindings/virtio_{}.h'
LINUX = 'linux/virtio_{}.h'


class Failed(Exception):
    """A command that must succeed has failed."""


def include_flags(src):
    """Returns the options for our headers in a source tree."""
    return [f'-I{src}/include', f'-I{src}/virtio-bindings/include']


def run(command, **options):
    """Runs a command and returns its output."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise Failed(f'{" ".join(command)}\n{done.stderr}')
    return done.stdout


def compiles(command, source, suffix='.c'):
    """Returns whether a source compiles, and what the compiler prints."""
    language = 'c++' if suffix == '.cc' else 'c'
    done = subprocess.run([*command, '-fsyntax-only', '-x', language, '-'], input=source, capture_output=True,
                          text=True, check=False)
    return done.returncode == 0, done.stderr


def is_in(path, header):
    return path == header or path.endswith('/' + header)


class Macros(dict):
    """Maps each macro that a header defines, and does not undefine, to its parameters or None."""

    def __init__(self, command, header):
        super().__init__()
        text = run([*command, '-E', '-dD', '-x', 'c', '-'], input=f'#include <{header}>\n')
        path = ''
        for line in text.splitlines():
            if match := re.match(r'# \d+ "([^"]*)"', line):
                path = match[1]
            elif match := re.match(r'#define (\w+)(\([^)]*\))?', line):
                if is_in(path, header):
                    self[match[1]] = match[2]
                else:
                    self.pop(match[1], None)
            elif match := re.match(r'#undef (\w+)', line):
                self.pop(match[1], None)
        # Leaves out include guards, which are not part of the interface.
        self.guards = {name for name in self if name.endswith('_H')}
        for name in self.guards:
            del self[name]


class Tree:
    """Structures, enumerators, typedefs and functions that a header itself declares."""

    def __init__(self, clang, header):
        text = run([*clang, '-fsyntax-only', '-Xclang', '-ast-dump=json', '-x', 'c', '-'],
                   input=f'#include <{header}>\n')
        self.header, self.path = header, ''
        self.records, self.enumerators, self.typedefs, self.functions = {}, [], [], []
        self.aliases = {}
        for node in json.loads(text)['inner']:
            self.top_level(node)

    def locate(self, value):
        """Keeps the current file in self.path: clang names a file only where the file changes."""
        if isinstance(value, dict):
            self.path = value.get('file', self.path)
            for key, below in value.items():
                if key != 'includedFrom':
                    self.locate(below)
        elif isinstance(value, list):
            for below in value:
                self.locate(below)

    def top_level(self, node):
        self.locate(node.get('loc'))
        here = is_in(self.path, self.header)
        self.locate([below for key, below in node.items() if key != 'loc'])
        if node['kind'] == 'TypedefDecl':
            self.aliases[node['name']] = node['type'].get('desugaredQualType', node['type']['qualType'])
        if not here:
            return
        kind, name = node['kind'], node.get('name')
        if kind == 'RecordDecl' and node.get('completeDefinition'):
            self.record(node)
        elif kind == 'EnumDecl':
            self.enumerators += [below['name'] for below in node['inner'] if below['kind'] == 'EnumConstantDecl']
        elif kind == 'TypedefDecl':
            self.typedefs.append(name)
        elif kind == 'FunctionDecl':
            self.functions.append(name)

    def plain(self, kind):
        """Returns a type without typedefs. clang itself does not resolve the type of an array."""
        kind = kind.get('desugaredQualType', kind['qualType'])
        element, bracket, length = kind.partition('[')
        return self.aliases.get(element, element) + bracket + length

    def record(self, node):
        """Adds a record that has a name, and the named records inside it."""
        self.records[f'{node["tagUsed"]} {node["name"]}'] = self.members(node)

    def members(self, node, prefix=''):
        """Returns a list of (path, type) for all members, also inside anonymous structures."""
        found, unnamed = [], None
        for below in node.get('inner', []):
            if below['kind'] == 'RecordDecl' and below.get('completeDefinition'):
                if 'name' in below:
                    self.record(below)
                else:
                    unnamed = below
            elif below['kind'] == 'FieldDecl':
                kind = self.plain(below['type'])
                inside = unnamed if re.search(r'\((unnamed|anonymous)', kind) else None
                if not below.get('name'):
                    found += self.members(inside, prefix)
                    continue
                path = prefix + below['name']
                found.append((path, 'its own' if inside else kind))
                if inside:
                    found += self.members(inside, path + ('[0].' if kind.endswith(']') else '.'))
        return found


def constants(command, header, names):
    """Returns the names whose value is an integer that the compiler knows, in the given order."""
    source = f'#include <{header}>\n' + ''.join(
        f'#line {number} "probe"\n_Static_assert((long long)({name}) || 1, "");\n'
        for number, name in enumerate(names, 1))
    errors = compiles([*command, '-fmax-errors=0' if is_gcc(command) else '-ferror-limit=0'], source)[1]
    refused = {int(number) for number in re.findall(r'^probe:(\d+):\d+: error', errors, re.M)}
    return [name for number, name in enumerate(names, 1) if number not in refused]


def is_gcc(command):
    return 'clang' not in run([*command, '--version']).lower()


def questions(gcc, clang, header):
    """Returns a list of (key, C expression) for keys with numbers, and a map of other keys."""
    macros, tree = Macros(gcc, header), Tree(clang, header)
    asked, texts = [], {}
    candidates = [name for name, parameters in macros.items() if parameters is None]
    values = constants(gcc, header, candidates)
    asked += [(name, name) for name in values + tree.enumerators]
    texts.update((name, 'a macro without a number') for name in candidates if name not in values)
    texts.update((name, 'a macro with parameters') for name, parameters in macros.items() if parameters is not None)
    texts.update((f'{name}()', 'a function') for name in tree.functions)
    for name in tree.typedefs:
        asked += [(f'sizeof {name}', f'sizeof({name})'), (f'alignof {name}', f'_Alignof({name})')]
    for record, members in tree.records.items():
        asked += [(f'sizeof {record}', f'sizeof({record})'), (f'alignof {record}', f'_Alignof({record})')]
        for path, kind in members:
            asked.append((f'offset of {path} in {record}', f'offsetof({record}, {path})'))
            texts[f'type of {path} in {record}'] = kind
            if '[]' not in kind:
                asked.append((f'size of {path} in {record}', f'sizeof((({record} *)0)->{path})'))
    return asked, texts


def answers(gcc, header, asked, work):
    """Maps each key to the value of its expression, which a compiled program prints."""
    lines = ''.join(f'\t{{ "{key}", (unsigned long long)({expression}) }},\n' for key, expression in asked)
    source = pathlib.Path(work, 'answers.c')
    source.write_text(
        f'#include <stddef.h>\n#include <stdio.h>\n#include <{header}>\n'
        f'static const struct {{ const char *key; unsigned long long value; }} all[] = {{\n{lines}\t{{ 0, 0 }} }};\n'
        'int main(void)\n{\n\tfor (int i = 0; all[i].key; i++)\n'
        '\t\tprintf("%s\\t%llu\\n", all[i].key, all[i].value);\n\treturn 0;\n}\n', encoding='utf-8')
    program = os.path.join(work, 'answers')
    run([*gcc, '-o', program, str(source)])
    return {key: int(value) for key, value in (line.split('\t') for line in run([program]).splitlines())}


def dump(gcc, clang, header, work):
    """Maps a key to a number or text, for everything that a header defines."""
    asked, texts = questions(gcc, clang, header)
    return {**answers(gcc, header, asked, work), **texts}


def read_table(path):
    """Returns the rows of a table of tab-separated values, without the comments."""
    rows = []
    with open(path, encoding='utf-8') as table:
        for line in table:
            if not line.startswith('#') and line.strip():
                rows.append(line.rstrip('\n').split('\t'))
    return rows
