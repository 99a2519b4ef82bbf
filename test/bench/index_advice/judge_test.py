"""The judge's rules, each with what it must not accept. Run by test/bench/index-advice before anything else."""

import unittest

from judge import Index, Key, Need, canonical, covered, distinct, fits, is_form, judge, judge_drops


def index(*keys, table="t", method="btree", include=(), predicate="", name="x"):
    made = []
    for key in keys:
        text, *options = key.split()
        made.append(Key(text, "".join(o for o in options if o != "DESC"), "DESC" in options))
    return Index(name, table, method, tuple(made), tuple(include), predicate)


class Fits(unittest.TestCase):
    def test_equal(self):
        self.assertTrue(fits(index("a", "b"), index("a", "b")))

    def test_order_of_columns(self):
        self.assertFalse(fits(index("b", "a"), index("a", "b")))

    def test_table_method_predicate_opclass(self):
        self.assertFalse(fits(index("a", table="u"), index("a")))
        self.assertFalse(fits(index("a", method="brin"), index("a")))
        self.assertFalse(fits(index("a", predicate="b IS NULL"), index("a")))
        self.assertFalse(fits(index("a"), index("a", predicate="b IS NULL")))
        self.assertFalse(fits(index("a jsonb_path_ops", method="gin"), index("a", method="gin")))

    def test_narrower(self):
        self.assertFalse(fits(index("a"), index("a", "b")))

    def test_wider(self):
        self.assertTrue(fits(index("a", "b", "c"), index("a", "b")))
        self.assertFalse(fits(index("a", "b", "c"), index("a")))

    def test_directions(self):
        self.assertTrue(fits(index("a", "b DESC"), index("a", "b")))
        self.assertTrue(fits(index("a DESC", "b"), index("a", "b DESC")))
        self.assertFalse(fits(index("a", "b"), index("a", "b DESC")))

    def test_include(self):
        self.assertTrue(fits(index("a"), index("a", include=["b"])))
        self.assertTrue(is_form(index("a", include=["b", "c"]), index("a", include=["b"])))
        self.assertFalse(is_form(index("a"), index("a", include=["b"])))

    def test_best_is_not_wider(self):
        self.assertFalse(is_form(index("a", "b"), index("a")))


class Canonical(unittest.TestCase):
    def test_array(self):
        self.assertEqual(canonical("status = ANY ('{open,pending}'::text[])"), "status = ANY (ARRAY['open'::text, 'pending'::text])")

    def test_others_stay(self):
        for text in ("a IS NULL", "status = 'a{b}'::text", "n = ANY ('{1,2}'::integer[])"):
            self.assertEqual(canonical(text), text)


class Covered(unittest.TestCase):
    def test_prefix(self):
        self.assertTrue(covered(index("a"), index("a", "b")))
        self.assertFalse(covered(index("b"), index("a", "b")))
        self.assertFalse(covered(index("a", "b"), index("a")))

    def test_rows(self):
        self.assertTrue(covered(index("a", predicate="p"), index("a", "b", predicate="p")))
        self.assertFalse(covered(index("a", predicate="p"), index("a")))
        self.assertFalse(covered(index("a"), index("a", predicate="p")))

    def test_methods(self):
        self.assertFalse(covered(index("a", method="gin"), index("a", "b", method="gin")))
        self.assertFalse(covered(index("a", method="brin"), index("a")))

    def test_include(self):
        self.assertTrue(covered(index("a", include=["b"]), index("a", "b")))
        self.assertFalse(covered(index("a", include=["c"]), index("a", "b")))


class Judge(unittest.TestCase):
    first = Need("first", "t", (index("a", "b"),), (index("a"),), False)
    second = Need("second", "t", (index("c", predicate="d IS NULL"),), (index("c"),), False)

    def judge(self, *advised, existing=(), traps=()):
        return judge(list(advised), list(existing), [self.first, self.second], list(traps))

    def test_best(self):
        verdict = self.judge(index("a", "b"), index("c"))
        self.assertEqual(set(verdict.met), {self.first, self.second})
        self.assertEqual(verdict.best, [self.first])
        self.assertEqual((len(verdict.matched), verdict.wrong), (2, {}))

    def test_best_is_preferred(self):
        verdict = self.judge(index("a", "c"), index("a", "b"))
        self.assertEqual(verdict.met[self.first], index("a", "b"))
        self.assertEqual((verdict.best, len(verdict.matched)), ([self.first], 2))

    def test_wrong(self):
        verdict = self.judge(index("z"), traps=[("t", ["z"], "never read")])
        self.assertEqual((verdict.met, verdict.matched), ({}, []))
        self.assertEqual(list(verdict.wrong.values()), ["trap: never read"])
        self.assertEqual(list(self.judge(index("y")).wrong.values()), ["no need for it"])

    def test_prefix_of_another_is_wrong(self):
        verdict = self.judge(index("a"), index("a", "b"))
        self.assertEqual((list(verdict.wrong), verdict.matched), ([index("a")], [index("a", "b")]))

    def test_served_already_is_wrong(self):
        verdict = self.judge(index("a"), existing=[index("a", "z")])
        self.assertEqual((verdict.met, list(verdict.wrong)), ({}, [index("a")]))

    def test_of_two_equal_one_counts(self):
        verdict = self.judge(index("a", name="one"), index("a", name="two"))
        self.assertEqual((len(verdict.matched), verdict.wrong), (1, {}))

    def test_of_two_that_cover_each_other_the_first_stays(self):
        verdict = self.judge(index("c DESC"), index("c"))
        self.assertEqual((verdict.matched, list(verdict.wrong)), ([index("c DESC")], [index("c")]))

    def test_distinct_keeps_order(self):
        self.assertEqual([i.name for i in distinct([index("a", name="1"), index("b", name="2"), index("a", name="3")])], ["1", "2"])

    def test_drops(self):
        self.assertEqual(judge_drops(["a", "b"], {"a": "", "c": ""}), (["a"], ["b"]))


if __name__ == "__main__":
    unittest.main()
