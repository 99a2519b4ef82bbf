"""A client that leaves its parameters to the server, in the extended protocol, as most drivers outside Python do."""

import unittest

from common import RemedyCase, elsewhere, found, preloaded_only

try:
    import psycopg
except ImportError:
    psycopg = None


def setUpModule():
    elsewhere("""
        CREATE TABLE countries (code text PRIMARY KEY);
        CREATE TABLE authors (id bigint PRIMARY KEY, country text NOT NULL REFERENCES countries);
        CREATE TABLE books (id uuid PRIMARY KEY, author bigint NOT NULL REFERENCES authors);
        INSERT INTO countries SELECT 'country ' || n FROM generate_series(1, 12) n;
        INSERT INTO authors SELECT n, 'country ' || n FROM generate_series(1, 12) n;
        INSERT INTO books SELECT md5(n::text)::uuid, n % 12 + 1 FROM generate_series(1, 36) n;
    """)


@unittest.skipUnless(psycopg, "needs python3-psycopg")
class Case(RemedyCase):
    prepare_threshold = None  # Never: each execution is parsed anew.

    def setUp(self):
        super().setUp()
        self.connection = psycopg.connect("")
        self.connection.prepare_threshold = self.prepare_threshold
        self.addCleanup(self.connection.close)

    def rows(self, query, *parameters):
        result = self.connection.execute(query, parameters)
        return result.fetchall() if result.description else []


class Loops:
    def test_children_by_bigint(self):
        """The driver sends small numbers as smallint, and they are the same numbers."""
        self.start()
        for (author,) in self.rows("SELECT id FROM authors"):
            self.assertEqual(len(self.rows("SELECT id FROM books WHERE author = %s", author)), 3)
        self.assertStatements(1 + 12)
        self.assertFound(found("books.author", "authors.id", "1:N", 12))

    def test_parent_by_text(self):
        self.start()
        for (country,) in self.rows("SELECT country FROM authors"):
            self.assertEqual(self.rows("SELECT code FROM countries WHERE code = %s", country), [(country,)])
        self.assertStatements(1 + 12)
        self.assertFound(found("countries.code", "authors.country", "N:1", 12))

    def test_same_row_by_uuid(self):
        """A list of keys, and then each row by its key."""
        self.start()
        for (book,) in self.rows("SELECT id FROM books LIMIT 12"):
            self.assertEqual(len(self.rows("SELECT author FROM books WHERE id = %s", book)), 1)
        self.assertStatements(1 + 12)
        self.assertFound(found("books.id", "books.id", "N:1", 12))

    def test_binary_parameters(self):
        self.start()
        for (author,) in self.rows("SELECT id FROM authors"):
            self.assertEqual(len(self.rows("SELECT id FROM books WHERE author = %b", author)), 3)
        self.assertStatements(1 + 12)
        self.assertFound(found("books.author", "authors.id", "1:N", 12))

    def test_one_array(self):
        self.start()
        authors = [author for (author,) in self.rows("SELECT id FROM authors ORDER BY id")]
        for first in range(0, 12, 2):
            books = self.rows("SELECT id FROM books WHERE author = ANY (%s)", authors[first : first + 2])
            self.assertEqual(len(books), 6)
        self.assertStatements(1 + 6)
        self.assertQuiet()

    def test_pipeline(self):
        """No round trip is waited for, but each statement counts."""
        self.start()
        with self.connection.pipeline():
            for number in range(3):
                self.connection.execute("SELECT id FROM books WHERE author = %s", (number,))
        self.assertStatements(3)
        self.assertQuiet()


class ParsedEachTime(Loops, Case):
    pass


class Prepared(Loops, Case):
    """The statement is analysed once; afterwards only its parameters arrive."""

    prepare_threshold = 0


class PreparedInAutocommit(Loops, Case):
    prepare_threshold = 0

    def setUp(self):
        super().setUp()
        self.connection.autocommit = True


@preloaded_only
class SeenOnce(Loops, Case):
    watched = False


if __name__ == "__main__":
    unittest.main()
