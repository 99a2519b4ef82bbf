"""What a regression suite calls: budgets, the list behind them, and the settings that make a finding an error."""

import unittest

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import selectinload

from common import elsewhere, found
from library import Author, Book
from sqlalchemy_case import SqlAlchemyCase, create_library

BOOKS_OF_AUTHORS = found("books.author_id", "authors.id", "1:N", 10)


def setUpModule():
    create_library()
    elsewhere(
        "DROP ROLE IF EXISTS librarian; CREATE ROLE librarian LOGIN;"
        " GRANT SELECT ON ALL TABLES IN SCHEMA public TO librarian"
    )


def tearDownModule():
    elsewhere("DROP OWNED BY librarian; DROP ROLE librarian")


class Suites(SqlAlchemyCase):
    def loop(self):
        for author in self.all(select(Author)):
            self.assertEqual(len(author.books), 9)

    def mended(self):
        for author in self.all(select(Author).options(selectinload(Author.books))):
            self.assertEqual(len(author.books), 9)

    def test_budget_kept(self):
        self.start()
        self.mended()
        self.rows("SELECT remedy.assert_statements(2)")
        self.rows("SELECT remedy.assert_statements(100)")

    def test_budget_exceeded(self):
        """The error tells the count, and which statements came to it."""
        self.start()
        self.loop()
        message = self.assertRaises0004(DBAPIError, "SELECT remedy.assert_statements(10)")
        for word in ("11", "10", "authors", "books"):
            self.assertIn(word, message)

    def test_watched_lists_the_statements(self):
        self.start()
        self.loop()
        listed = self.rows("SELECT calls, rows, query ~ 'FROM books', total_ms > 0 FROM remedy.watched ORDER BY 1")
        self.assertEqual(listed, [(1, 10, False, True), (10, 90, True, True)])

    def test_watch_begins_anew(self):
        self.start()
        self.loop()
        self.session.rollback()
        self.start()
        self.rows("SELECT remedy.assert_statements(0)")
        self.rows("SELECT remedy.assert_no_n_plus_one()")
        self.mended()
        self.assertStatements(2)
        self.rows("SELECT remedy.assert_no_n_plus_one('possible')")

    def test_watch_outlives_transactions(self):
        """A test of an application spans its transactions."""
        self.start()
        for number in (1, 2, 3):
            self.all(select(Book.number).where(Book.number == number))
            self.session.commit()
        self.assertStatements(3)

    def test_no_n_plus_one(self):
        self.start()
        self.mended()
        self.rows("SELECT remedy.assert_no_n_plus_one()")
        self.session.expunge_all()
        self.loop()
        message = self.assertRaises0004(DBAPIError, "SELECT remedy.assert_no_n_plus_one()")
        for word in ("books", "authors", "author_id"):
            self.assertIn(word, message)

    def test_threshold_lower(self):
        self.rows("SET pg_remedy.n_plus_one_threshold = 3")
        self.start()
        for author in self.all(select(Author).limit(3)):
            len(author.books)
        self.assertFound(found("books.author_id", "authors.id", "1:N", 3))

    def test_threshold_higher(self):
        self.rows("SET pg_remedy.n_plus_one_threshold = 11")
        self.start()
        self.loop()
        self.assertQuiet()

    def test_action_error(self):
        """The page fails at the statement that crosses the threshold."""
        self.rows("SET pg_remedy.n_plus_one_action = 'error'")
        self.start()
        with self.assertRaises(DBAPIError) as caught:
            self.loop()
        self.assertIn("books", str(caught.exception.orig))

    def test_action_warning(self):
        """One warning for one loop, and the page goes on."""
        self.rows("SET pg_remedy.n_plus_one_action = 'warning'")
        self.start()
        with self.assertLogs("sqlalchemy.dialects.postgresql", "INFO") as log:  # That is where notices go.
            self.loop()
        self.assertEqual(len(log.output), 1, log.output)
        self.assertIn("WARNING", log.output[0])
        self.assertIn("books", log.output[0])
        self.assertFound(BOOKS_OF_AUTHORS)

    def test_action_leaves_good_code_alone(self):
        self.rows("SET pg_remedy.n_plus_one_action = 'error'")
        self.start()
        self.mended()
        self.assertStatements(2)


class SuitesOfAnOrdinaryRole(Suites):
    """Nothing above asks for more than the right to read the tables."""

    url = "postgresql+psycopg2://librarian@"


if __name__ == "__main__":
    unittest.main()
