"""The judge of the corpus (corpus/judge.py): what counts as right, and that each figure falls when it should."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "corpus"))
from judge import Verdict, figures  # noqa: E402

LOOP = {"child": "books.author_id", "parent": "authors.id", "direction": "1:N", "kind": "select", "repeats": 10}
WRITE = {"child": "readers.id", "parent": None, "direction": "write", "kind": "write", "repeats": 20}


def finding(like, **changes):
    return {**like, "level": "likely", "batched": True, **changes}


def verdict(findings, expect=(LOOP,), client="", **more):
    return Verdict({"expect": list(expect), **more}, findings, client)


class Words(unittest.TestCase):
    def test_right(self):
        self.assertEqual(verdict([finding(LOOP)]).word, "right")
        self.assertEqual(verdict([], expect=[]).word, "right")

    def test_missed(self):
        self.assertEqual(verdict([]).word, "missed")

    def test_false(self):
        self.assertEqual(verdict([finding(LOOP)], expect=[]).word, "false")

    def test_another_parent_is_another_loop(self):
        self.assertEqual(verdict([finding(LOOP, parent="books.author_id")]).word, "missed and false")

    def test_a_client_of_its_own_kind(self):
        own = {**LOOP, "as": {"typeorm": {"child": "books.id"}}}
        for client in ("typeorm", "typeorm-pgbouncer"):
            self.assertEqual(verdict([finding(LOOP, child="books.id")], [own], client).word, "right")
        self.assertEqual(verdict([finding(LOOP, child="books.id")], [own], "prisma").word, "missed and false")

    def test_a_loop_told_twice_is_false_once(self):
        twice = verdict([finding(LOOP, repeats=3), finding(LOOP)])
        self.assertEqual(twice.word, "false")
        self.assertEqual(twice.matched[0][0]["repeats"], 10)

    def test_a_read_is_not_the_write(self):
        lookup = finding(WRITE, kind="lookup", direction="N:1")
        self.assertEqual(verdict([lookup], expect=[WRITE]).word, "missed and false")
        self.assertEqual(verdict([lookup], [WRITE], also=[{"child": "readers.id", "kind": "lookup"}]).word, "missed")
        self.assertEqual(verdict([lookup, finding(WRITE)], [WRITE], also=[{"child": "readers.id", "kind": "lookup"}]).word, "right")

    def test_the_servers_own_loops_and_information_do_not_count(self):
        self.assertEqual(verdict([finding(LOOP, kind="server_loop"), finding(LOOP, level="info")], expect=[]).word, "right")


class Figures(unittest.TestCase):
    def assertFigure(self, name, value, *verdicts):
        self.assertEqual(figures(verdicts)[name], value)

    def test_nothing(self):
        self.assertEqual(set(figures([]).values()), {None})

    def test_precision_and_recall(self):
        runs = [verdict([finding(LOOP)]), verdict([]), verdict([finding(LOOP)], expect=[]), verdict([], expect=[])]
        for name in ("precision", "recall", "finding precision", "finding recall", "likely precision", "likely recall"):
            self.assertFigure(name, 0.5, *runs)

    def test_a_scenario_with_one_false_finding_is_imprecise(self):
        run = verdict([finding(LOOP), finding(WRITE), finding(LOOP, parent=None)], expect=[LOOP, WRITE])
        self.assertFigure("precision", 0.0, run)
        self.assertFigure("finding precision", 2 / 3, run)

    def test_what_is_only_possible(self):
        right, wrong = verdict([finding(LOOP, level="possible")]), verdict([finding(LOOP, level="possible")], expect=[])
        self.assertFigure("precision", 0.5, right, wrong)
        self.assertFigure("likely precision", None, right, wrong)
        self.assertFigure("likely recall", 0.0, right, wrong)

    def test_figures_of_findings(self):
        self.assertFigure("exact", 0.0, verdict([finding(LOOP, repeats=9)]))
        self.assertFigure("direction", 0.0, verdict([finding(LOOP, direction="N:1")]))
        self.assertFigure("kind", 0.0, verdict([finding(LOOP, kind="count")]))
        self.assertFigure("kind", 1.0, verdict([finding(LOOP, kind="count")], expect=[{**LOOP, "kinds": ["count"]}]))
        self.assertFigure("rewrite", 0.0, verdict([finding(LOOP, batched=False)]))
        self.assertFigure("rewrite", None, verdict([finding(WRITE, batched=False)], expect=[WRITE]))


if __name__ == "__main__":
    unittest.main()
