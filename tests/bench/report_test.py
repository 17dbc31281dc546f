#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Tests that report.py refuses wrong counts, and that scale.py tells kinds of growth apart."""
import contextlib
import io
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # leave no files among the sources
import report
import scale

TABLE = """\
# compilers: gcc 12, clang 14
W1 baseline 30.0 30.0
W1 inline 90.0 95.0
W2 inline 200.0 230.0
"""
TARGETS = """\
W1 inline 3.0 x = baseline
{W1,W2} inline 100
W2 inline@clang 1.05 x = inline@gcc
"""


def dumps(counts):
    """Returns callgrind's output: dumps of 10 and 20 chains for each row, with overhead 1000."""
    lines = []
    for (case, kind), count in counts.items():
        for chains in (10, 20):
            lines += [f"desc: Trigger: Client Request: {case} {kind}: {chains} chains",
                      f"totals: {1000 + round(chains * count)}"]
    return "\n".join(lines) + "\n"


class Report(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dumps = os.path.join(folder.name, "dumps")
        for name, text in (("TABLE", TABLE), ("TARGETS", TARGETS)):
            path = os.path.join(folder.name, name)
            self.write(path, text)
            self.addCleanup(setattr, report, name, getattr(report, name))
            setattr(report, name, path)
        self.counts = {("W1", "baseline"): 30.0, ("W1", "inline"): 90.0, ("W2", "inline"): 200.0}

    @staticmethod
    def write(path, text):
        with open(path, "w") as file:
            file.write(text)

    def check(self, compiler="gcc 12"):
        """Returns the exit status and the lines of output."""
        self.write(self.dumps, dumps(self.counts))
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            status = report.check(compiler, self.dumps)
        return status, output.getvalue().splitlines()

    def test_recorded_counts_pass_and_missed_bars_are_named(self):
        status, lines = self.check()
        self.assertEqual(status, 0)
        self.assertIn("not reached yet: W2 inline: 200, bar 100", lines)
        self.assertIn("not reached yet: W2 inline@clang: 230, bar 210", lines)
        self.assertEqual(lines[-1], "2 of 4 bars reached")

    def test_a_count_that_grows_fails(self):
        self.counts["W2", "inline"] = 203.0
        status, lines = self.check()
        self.assertEqual(status, 1)
        self.assertIn("FAILED: W2 inline: 203.0 instructions per chain, recorded 200.0", lines)

    def test_a_count_that_shrinks_must_be_recorded(self):
        self.counts["W2", "inline"] = 190.0
        status, lines = self.check()
        self.assertEqual(status, 1)
        self.assertIn("better; record it", "".join(lines))

    def test_a_lost_bar_fails_although_the_count_is_within_the_tolerance(self):
        self.counts["W1", "inline"] = 90.5
        status, lines = self.check()
        self.assertEqual(status, 1)
        self.assertIn("FAILED: no longer reached: W1 inline: 90, bar 90", lines)

    def test_a_row_that_is_missing_or_new_fails(self):
        del self.counts["W2", "inline"]
        self.counts["W3", "inline"] = 1.0
        status, lines = self.check()
        self.assertEqual(status, 1)
        self.assertIn("FAILED: W2 inline: not counted", lines)
        self.assertIn("FAILED: W3 inline: not recorded; now 1.0", lines)

    def test_each_compiler_has_its_own_records(self):
        self.assertEqual(self.check("clang 14")[0], 1)
        self.counts = {("W1", "baseline"): 30.0, ("W1", "inline"): 95.0, ("W2", "inline"): 230.0}
        self.assertEqual(self.check("clang 14")[0], 0)

    def test_another_compiler_is_skipped(self):
        status, lines = self.check("gcc 13")
        self.assertEqual(status, 77)
        self.assertTrue(lines[-1].startswith("skipped: "))


class Growth(unittest.TestCase):
    def shape(self, cost):
        return scale.shape([(1 << n, cost(n)) for n in range(12)])

    def test_growth_is_told_apart(self):
        self.assertEqual(self.shape(lambda n: 100 + n % 2), "flat")
        self.assertEqual(self.shape(lambda n: 100 + 20 * n), "logarithmic")
        self.assertEqual(self.shape(lambda n: 100 + 30 * 2**n), "linear")
        self.assertEqual(self.shape(lambda n: 100 + 4**n), "neither")
        self.assertEqual(self.shape(lambda n: 100 + 2 ** (n / 2)), "neither")


if __name__ == "__main__":
    unittest.main()
