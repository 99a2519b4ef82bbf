"""What the tests of all ORMs share: where the server is, and how findings and counts are read.

test/run gives each file an empty database that has the extension, on a preloaded server and on a plain one.
"""

import os
import unittest

import psycopg2

MODE = os.environ.get("PG_REMEDY_MODE", "preloaded")
FINDINGS = """
    SELECT child_table || '.' || child_column, parent_table || '.' || parent_column,
           direction, repeats_max, kind, level
      FROM remedy.n_plus_one
     WHERE database = current_database()
"""

preloaded_only = unittest.skipUnless(MODE == "preloaded", "findings reach other sessions on a preloaded server only")


def elsewhere(query):
    """Runs one query in a session of its own, as somebody who watches the application would."""
    connection = psycopg2.connect("")
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def found(child, parent, direction, repeats, kind="select"):
    """A finding as assertFound expects it."""
    return child, parent, direction, repeats, kind, "likely"


def unqualified(column):
    return column.replace("public.", "")


class RemedyCase(unittest.TestCase):
    """One test is one fresh session of the application; a subclass says how to run SQL in it.

    A watched test calls remedy.watch() first and reads what it made in its own session. An unwatched one is a page
    that the server sees once and without warning, and its findings are read from another connection.
    """

    watched = True
    maxDiff = None

    def rows(self, query):
        raise NotImplementedError

    def setUp(self):
        elsewhere("SELECT remedy.reset()")

    def start(self):
        """The page begins here. A busy machine may pause a page for longer than bursts are meant to."""
        self.rows("SELECT remedy.watch()" if self.watched else "SET pg_remedy.burst_gap = '10s'")

    def assertStatements(self, expected):
        """The page caused exactly this many statements."""
        if self.watched:
            counted = self.rows("SELECT coalesce(sum(calls), 0) FROM remedy.watched")[0][0]
            self.assertEqual(int(counted), expected)
            self.rows(f"SELECT remedy.assert_statements({expected})")

    def assertFound(self, *expected):
        """These findings were made, with these figures, and no others."""
        rows = self.rows(FINDINGS) if self.watched else elsewhere(FINDINGS)
        findings = [(unqualified(child), unqualified(parent), *figures) for child, parent, *figures in rows]
        self.assertEqual(sorted(findings), sorted(expected))

    def assertQuiet(self):
        self.assertFound()
        if self.watched:
            self.rows("SELECT remedy.assert_no_n_plus_one('possible')")

    def assertRaises0004(self, exception, query):
        """The query fails as an assertion does; returns the whole text of the error."""
        with self.assertRaises(exception) as caught:
            self.rows(query)
        # Django and SQLAlchemy wrap the driver's error, each in its own way.
        error = getattr(caught.exception, "orig", None) or caught.exception.__cause__ or caught.exception
        self.assertEqual(getattr(error, "sqlstate", None) or error.pgcode, "P0004")  # psycopg 3 or psycopg2
        return str(error)
