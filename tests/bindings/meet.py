#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Do the headers of virtio-bindings work together with Linux's?

usage: meet.py SRC WORK CLANG CXX CC...    CLANG and CXX may be empty words

- Each header compiles alone, in C11, C17 and C++17, with the given compilers and nearly all
  warnings.
- Each header and Linux's header of the same name compile in one C unit, in both orders. Each unit
  defines our constants and structures, except those that promised() leaves out.
- Programs written for Linux's headers compile against ours after a change of their includes, and
  print the same output.
"""
import os
import pathlib
import sys

import headers

STRICT = ['-Wall', '-Wextra', '-Wpedantic', '-Werror', '-Wconversion', '-Wsign-conversion', '-Wshadow', '-Wcast-qual',
          '-Wcast-align', '-Wundef', '-Wvla', '-Wredundant-decls', '-Wdouble-promotion', '-Wformat=2']
STRICT_C = ['-Wstrict-prototypes', '-Wmissing-prototypes', '-Wold-style-definition']
# All of clang's warnings, with exceptions. Linux's own names and layouts cause warnings about
# reserved identifiers, padding and packed members. The other exceptions are warnings about other
# versions of the languages, C style in C++, pointer arithmetic, and options that clang lacks.
EVERYTHING = ['-Weverything', '-Werror', '-Wno-padded', '-Wno-packed', '-Wno-reserved-identifier',
              '-Wno-reserved-macro-identifier', '-Wno-reserved-id-macro', '-Wno-declaration-after-statement',
              '-Wno-c++98-compat', '-Wno-c++98-compat-pedantic', '-Wno-c++20-compat', '-Wno-old-style-cast',
              '-Wno-unknown-warning-option', '-Wno-unsafe-buffer-usage', '-Wno-pre-c11-compat']
# Macros by which a program hides parts of a header.
HIDDEN = ['-DVIRTIO_BLK_NO_LEGACY', '-DVIRTIO_CONFIG_NO_LEGACY', '-DVIRTIO_MMIO_NO_LEGACY', '-DVIRTIO_NET_NO_LEGACY',
          '-DVIRTIO_PCI_NO_LEGACY', '-DVIRTIO_PCI_NO_MODERN', '-DVIRTIO_RING_NO_LEGACY']
# Languages in which Linux's own headers do not compile, and why.
CANNOT = {
    ('net', 'C++17'): 'a member has the name class',
    ('ring', 'C++17'): 'void * is assigned to other pointers',
}
# Structures that are missing if an older header of Linux comes first. Our header cannot add such a
# structure. Either no macro tells whether Linux's header has the structure, or Linux's header
# already defines the structure inside which ours is defined.
UNTOLD = {'virtio_blk_zoned_characteristics',
          'virtio_net_rss_config_hdr', 'virtio_net_rss_config_trailer', 'virtio_pci_modern_common_cfg',
          'virtio_snd_ctl_hdr', 'virtio_snd_ctl_info', 'virtio_snd_ctl_enum_item', 'virtio_snd_ctl_iec958',
          'virtio_snd_ctl_value', 'virtio_snd_ctl_event'}
ALL = [*headers.NAMES, 'net_hdr']

failures = 0


def fail(text):
    global failures
    failures += 1
    print(f'FAILED: {text}')


def demand(what, command, source, suffix='.c'):
    passed, errors = headers.compiles(command, source, suffix)
    if not passed:
        fail(f'{what}: {" ".join(command)}\n{errors[:2000]}')


def includes(*paths):
    # Adds a declaration, because C requires one in each unit.
    return ''.join(f'#include <{path}>\n' for path in paths) + 'extern int unit;\n'


def alone(compilers):
    """Compiles every header alone, included twice, and all headers together in both orders."""
    units = {header: includes(*2 * [headers.OURS.format(header)]) for header in ALL}
    paths = [headers.OURS.format(header) for header in ALL]
    units['all'], units['all, backwards'] = includes(*paths), includes(*paths[::-1])
    for name, unit in units.items():
        for command, suffix in compilers:
            demand(f'{name} alone', command, unit, suffix)
    print(f'{len(units)} units, {len(compilers)} ways each')


def promised(cc, clang, header, work, grown):
    """Returns two texts of assertions about our header.

    The first text holds if our header comes first. The second text holds if an older header of
    Linux comes first. So the second text leaves out values that grew over time and the structures
    of UNTOLD. Both texts check the values of macros and the existence of structures.
    """
    path = headers.OURS.format(header)
    names = [name for name, parameters in headers.Macros(cc, path).items() if parameters is None]
    asked = [(name, name) for name in headers.constants(cc, path, names)]
    values = [(name, f'_Static_assert(({name}) == {value}, "{name}");\n')
              for name, value in headers.answers(cc, path, asked, work).items()]
    records = [(record.split()[1], f'_Static_assert(sizeof({record}) > 0, "{record}");\n')
               for record in (headers.Tree(clang, path).records if clang else ())]
    both = values + records
    late = [text for name, text in both if (header, name) not in grown and name not in UNTOLD]
    return ''.join(text for _, text in both), ''.join(late)


def meet(commands, cc, clang, work, grown):
    """Includes Linux's header and ours in both orders. Returns the headers that Linux has."""
    present = []
    for header in headers.NAMES:
        ours, linux = headers.OURS.format(header), headers.LINUX.format(header)
        if not headers.compiles(cc, includes(linux))[0]:
            print(f'skipped: <{linux}> is not installed')
            continue
        present.append(header)
        first, second = promised(cc, clang, header, work, grown)
        for order, asserted in (((ours, linux), first), ((linux, ours), second)):
            for command in commands:
                demand(f'<{order[0]}>, then <{order[1]}>', command, includes(*order) + asserted)
    if present:
        every = [form.format(header) for form in (headers.OURS, headers.LINUX) for header in present]
        for command in commands:
            demand('all of ours, then all of Linux', command, includes(*every))
            demand('all of Linux, then all of ours', command, includes(*every[::-1]))
    print(f'{len(present)} headers meet those of Linux in both orders')
    return present


def cannot(present, cxx):
    """Prints which of Linux's own headers do not compile as C++17, and which of CANNOT now do."""
    for header in present:
        works = headers.compiles(cxx, includes(headers.LINUX.format(header)), '.cc')[0]
        reason = CANNOT.get((header, 'C++17'))
        if not works and not reason:
            print(f'<{headers.LINUX.format(header)}> does not compile as C++17 here')
        if reason:
            verdict = 'now compiles as C++17' if works else f'does not compile as C++17: {reason}'
            print(f'<{headers.LINUX.format(header)}> {verdict}')


def programs(cc, here, work, present):
    """Runs each program with Linux's headers, if they are installed, and with ours."""
    compared = 0
    for source in sorted(pathlib.Path(here, 'programs').glob('*.c')):
        text = source.read_text(encoding='utf-8')
        outputs = []
        for folder in ('virtio/bindings', 'linux')[:2 if len(present) == len(headers.NAMES) else 1]:
            changed = pathlib.Path(work, source.name)
            changed.write_text(text.replace('#include <linux/', f'#include <{folder}/'), encoding='utf-8')
            program = os.path.join(work, 'program')
            try:
                headers.run([*cc, '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-o', program, str(changed)])
                outputs.append(headers.run([program]))
            except headers.Failed as failed:
                fail(f'{source.name} with <{folder}/...>: {failed}')
        if len(outputs) == 2 and outputs[0] != outputs[1]:
            fail(f'{source.name} prints with ours\n{outputs[0]}and with those of Linux\n{outputs[1]}')
        compared += len(outputs)
    print(f'{compared} programs compiled and run')


def main():
    src, work, clang, cxx, *cc = sys.argv[1:]
    here = os.path.dirname(os.path.abspath(__file__))
    os.makedirs(work, exist_ok=True)
    ours = headers.include_flags(src)
    compilers = [([*cc, f'-std={std}', *STRICT, *STRICT_C, *ours], '.c') for std in ('c11', 'c17')]
    compilers.append(([*cc, '-std=c11', *STRICT, *STRICT_C, *HIDDEN, *ours], '.c'))
    commands = [[*cc, '-std=c11', '-Wall', '-Wextra', '-Wpedantic', '-Werror', *ours]]
    if cxx:
        compilers.append(([*cxx.split(), '-std=c++17', *STRICT, *ours], '.cc'))
    else:
        print('skipped: C++ with the compiler under test, which has no C++')
    if clang:
        compilers += [([clang, f'-std={std}', *EVERYTHING, *ours], '.c') for std in ('c11', 'c17')]
        compilers.append(([clang, '-std=c++17', *EVERYTHING, *ours], '.cc'))
        commands.append([clang, '-std=gnu11', '-Wall', '-Wextra', '-Werror', *ours])
    else:
        print('skipped: clang, not installed')
    alone(compilers)
    rows = headers.read_table(os.path.join(here, 'known_differences.tsv'))
    grown = {(row[0], row[1]) for row in rows if row[2] not in '-*'}
    language = [*cc, '-std=gnu11', *ours]
    present = meet(commands, language, [clang, '-std=gnu11', *ours] if clang else None, work, grown)
    if cxx:
        cannot(present, [*cxx.split(), '-std=gnu++17'])
    programs(language, here, work, present)
    if failures:
        sys.exit(f'{failures} failures')
    print('ok')


if __name__ == '__main__':
    try:
        main()
    except headers.Failed as failed:
        sys.exit(f'FAILED: {failed}')
