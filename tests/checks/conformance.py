#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Does every clause of virtio 1.4 that binds our devices have a row with proofs that hold?

usage: conformance.py SRC BUILD

Reads SRC/tests/conformance.tsv; its head describes a row.
- Runs the unit tests that rows name. Each named function must succeed.
- Runs the programs of tests/threads that rows name. Each program must succeed.
- Other tests (guests, checks) take too long to run twice. They must be defined in this build,
  unless the build leaves out guests or examples.
- Each quoted phrase must still be in its header.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

# How many clauses each section has. The check has no copy of the specification, so these numbers
# find a missing row or an extra row.
SECTIONS = {
    'core.device-status-field': 3,
    'core.feature-bits': 4,
    'core.device-reset': 2,
    'core.device-configuration-space': 1,
    'core.virtqueue-reset': 2,
    'core.virtqueue-re-enable': 1,
    'core.device-suspend': 7,
    'core.reserved-feature-bits': 4,
    'core.shared-memory-regions': 1,
    'split.message-framing': 1,
    'split.the-virtqueue-descriptor-table': 2,
    'split.indirect-descriptors': 2,
    'split.used-buffer-notification-suppression': 6,
    'split.the-virtqueue-used-ring': 2,
    'split.available-buffer-notification-suppression': 3,
    'mmio.mmio-device-register-layout': 12,
    'blk.device-initialization': 15,
    'blk.device-operation': 25,
    'console.device-initialization': 2,
    'console.multiport-device-operation': 2,
    'vsock.feature-bits': 2,
    'vsock.virtqueue-flow-control': 1,
    'vsock.buffer-space-management': 2,
    'vsock.receive-and-transmit': 2,
}
AREAS = {'core': 25, 'split': 16, 'mmio': 12, 'blk': 40, 'console': 4, 'vsock': 7}
TABLE = 'tests/conformance.tsv'


class Bad(Exception):
    """A row is faulty, or its proof fails."""


class Row:
    def __init__(self, number, line):
        fields = line.split('\t')
        self.where = f'{TABLE}:{number}: {fields[0]}'
        self.bad = None
        if len(fields) != 3 or any(not field or field != field.strip() for field in fields):
            self.bad = 'not three columns, with one tab between them and no other blanks around them'
            fields = [fields[0].strip(), '', '']
        self.id, _, self.proofs = fields
        self.section, _, ordinal = self.id.rpartition('.')
        self.ordinal = int(ordinal) if re.fullmatch('[1-9][0-9]*', ordinal) else 0


class Build:
    """A build: its tests, and the results of its test programs."""

    def __init__(self, src, folder):
        self.src, self.folder = src, folder
        self.tests = {test['name']: test for test in self.introspect('tests')}
        self.targets = {target['id']: target for target in self.introspect('targets')}
        options = {option['name']: option['value'] for option in self.introspect('buildoptions')}
        self.examples = options['examples'] != 'disabled'
        self.guests = self.examples and options['guests'] != 'disabled'
        self.results = {}

    def introspect(self, what):
        with open(os.path.join(self.folder, 'meson-info', f'intro-{what}.json'), encoding='utf-8') as info:
            return json.load(info)

    def is_in(self, name, suite):
        return any(of.endswith(':' + suite) for of in self.tests[name]['suite'])

    def is_unit(self, name):
        return self.is_in(name, 'unit')

    def sources(self, name):
        """Returns the sources of the programs that a test depends on."""
        return [file for target in self.tests[name]['depends'] if target in self.targets
                for part in self.targets[target]['target_sources'] for file in part['sources']]

    def run_whole(self, name):
        """Runs a program without cmocka once. Returns why it failed, or None."""
        if name not in self.results:
            test = self.tests[name]
            try:
                done = subprocess.run(test['cmd'], cwd=self.folder, env={**os.environ, **test['env']},
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      check=False)
                problem = {0: None, 77: 'was skipped'}.get(done.returncode, f'failed: its status was {done.returncode}')
            except OSError as error:
                problem = f'did not run to its end: {error}'
            self.results[name] = problem
        return self.results[name]

    def run(self, name):
        """Runs a cmocka program once. Returns a list of results for each test function, because a
        function may be registered several times. Without results, returns the reason as a text."""
        if name not in self.results:
            with tempfile.TemporaryDirectory() as work:
                self.results[name] = self.run_in(self.tests[name], os.path.join(work, 'results.xml'))
        return self.results[name]

    def run_in(self, test, report):
        env = {**os.environ, **test['env'], 'CMOCKA_MESSAGE_OUTPUT': 'XML', 'CMOCKA_XML_FILE': report}
        try:
            done = subprocess.run(test['cmd'], cwd=self.folder, env=env, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        except OSError as error:
            return f'the program did not run to its end: {error}'
        try:
            cases = xml.parse(report).iter('testcase')
        except (OSError, xml.ParseError):
            sys.stderr.buffer.write(done.stdout[-2000:])
            return f'the program reported no results; its status was {done.returncode}'
        results = {}
        for case in cases:
            problem = 'was skipped' if case.find('skipped') is not None else None
            if case.find('failure') is not None or case.find('error') is not None:
                problem = 'failed'
            # The test fixture appends the kind of guest memory to the test's name, in capitals.
            results.setdefault(re.sub('_[A-Z][A-Z_]*$', '', case.get('name')), []).append(problem)
        return results


def read(file):
    with open(file, encoding='utf-8') as text:
        return text.read()


def check_function(build, program, function):
    if not any(re.search(rf'^(static )?void {re.escape(function)}\(void \*\*', read(file), re.M)
               for file in build.sources(program) if file.endswith('.c')):
        raise Bad(f'{program} has no test function {function} in its source')
    results = build.run(program)
    if isinstance(results, str):
        raise Bad(f'{program}: {results}')
    if function not in results:
        raise Bad(f'{function} did not run: it is in no group of {program}')
    for problem in results[function]:
        if problem:
            raise Bad(f'{function} of {program} {problem}')


def check_test(build, proof):
    program, slash, function = proof.partition('/')
    if program not in build.tests:
        if not build.guests and any(
                f"'{program}'" in read(os.path.join(folder, file))
                for folder, _, files in os.walk(os.path.join(build.src, 'tests')) for file in files
                if file == 'meson.build'):
            print(f'not in this build, which has no guests: {program}')
            return
        if not build.examples and program.startswith('vhost-user-'):
            print(f'not in this build, which has no examples: {program}')
            return
        raise Bad(f'there is no test {program}')
    if slash:
        check_function(build, program, function)
    elif build.is_unit(program):
        raise Bad(f'{program} is a unit test, so the proof must name a function of it')
    elif build.is_in(program, 'threads'):
        problem = build.run_whole(program)
        if problem:
            raise Bad(f'{program} {problem}')


def check_caller(build, proof, where):
    """Searches a header for a phrase, which may continue on the next line of a comment."""
    header, _, phrase = proof.partition(':')
    words = phrase.split()
    if not words or not header.endswith('.h'):
        raise Bad(f'not caller:HEADER:PHRASE: {proof}')
    try:
        text = read(os.path.join(build.src, header))
    except OSError:
        raise Bad(f'there is no header {header}') from None
    found = re.search(r'(?:\s+(?:\*\s+)?)'.join(re.escape(word) for word in words), text)
    if not found:
        raise Bad(f'{header} does not say "{phrase}" any more')
    line = text.count('\n', 0, found.start()) + 1
    print(f'{where}: the caller\'s duty, says {header}:{line}')


def check_row(build, row, seen):
    if row.bad:
        raise Bad(row.bad)
    if not 1 <= row.ordinal <= SECTIONS.get(row.section, 0):
        raise Bad('there is no such clause')
    if row.id in seen:
        raise Bad(f'has two rows; the first is in line {seen[row.id]}')
    seen[row.id] = row.where.split(':')[1]
    for proof in row.proofs.split(','):
        kind, _, what = proof.strip().partition(':')
        if kind in ('test', 'not-offered') and what:
            check_test(build, what)
        elif kind == 'caller':
            check_caller(build, what, row.where)
        else:
            raise Bad(f'not a proof: "{proof.strip()}"')


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    build = Build(*sys.argv[1:])
    if not any(build.is_unit(name) for name in build.tests):
        print('skipped: this build has no unit tests, which need cmocka')
        sys.exit(77)
    lines = enumerate(read(os.path.join(build.src, TABLE)).splitlines(), 1)
    rows = [Row(number, line) for number, line in lines if not line.startswith('#')]
    failures, seen = [], {}
    for row in rows:
        try:
            check_row(build, row, seen)
        except Bad as problem:
            failures.append(f'{row.where}: {problem}')
    for area, expected in AREAS.items():
        there = {clause for clause in seen if clause.startswith(area + '.')}
        if len(there) != expected:
            wanted = {f'{section}.{n}' for section, count in SECTIONS.items() for n in range(1, count + 1)
                      if section.startswith(area + '.')}
            failures.append(f'{TABLE}: {area} has {len(there)} rows, not {expected}; '
                            f'clauses without a row: {" ".join(sorted(wanted - there)) or "none"}')
    for failure in failures:
        print('FAILED:', failure, file=sys.stderr)
    if failures:
        print(len(failures), 'violation(s)')
        sys.exit(1)
    print(f'ok: {len(rows)} clauses ({", ".join(f"{area} {n}" for area, n in AREAS.items())}), '
          f'{len(build.results)} programs run')


main()
