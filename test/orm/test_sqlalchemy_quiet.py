"""What repeats without being an N+1 is left alone, and what it costs is still counted exactly."""

import unittest

from sqlalchemy import insert, select, text
from sqlalchemy.orm import joinedload, selectinload, subqueryload

from common import preloaded_only
from library import Author, Book, Chapter, Loan, Reader
from sqlalchemy_case import SqlAlchemyCase, create_library


def setUpModule():
    create_library()


class Quiet:
    """Well-made code, and loops that no batch would mend."""

    def test_joinedload(self):
        self.start()
        query = select(Author).options(joinedload(Author.books).joinedload(Book.chapters))
        authors = self.session.scalars(query).unique().all()
        self.assertEqual(sum(len(book.chapters) for author in authors for book in author.books), 180)
        self.assertStatements(1)
        self.assertQuiet()

    def test_selectinload(self):
        self.start()
        query = select(Author).options(selectinload(Author.books).selectinload(Book.chapters))
        self.assertEqual(sum(len(book.chapters) for author in self.all(query) for book in author.books), 180)
        self.assertStatements(3)
        self.assertQuiet()

    def test_subqueryload(self):
        self.start()
        query = select(Author).options(subqueryload(Author.books), joinedload(Author.country))
        self.assertEqual(sum(len(author.books) for author in self.all(query)), 90)
        self.assertStatements(2)
        self.assertQuiet()

    def test_batches_of_keys(self):
        """Keys from a parent, but several at a time; the last batch is a single one."""
        self.start()
        ids = self.all(select(Book.id).order_by(Book.number).limit(22))
        for first in range(0, len(ids), 3):
            self.all(select(Chapter.id).where(Chapter.book_id.in_(ids[first : first + 3])))
        self.assertStatements(1 + 8)
        self.assertQuiet()

    def test_batches_in_arrays(self):
        """The text of the query is the same for one key and for three."""
        self.start()
        ids = self.all(select(Author.id).order_by(Author.id))
        query = text("SELECT number FROM books WHERE author_id = ANY (:ids)")
        for first in range(0, len(ids) - 2):
            self.session.execute(query, {"ids": ids[first : first + 3]}).all()
        self.assertStatements(1 + 8)
        self.assertQuiet()

    def test_bulk_insert(self):
        """Fifty rows in one statement; the fifty referential checks inside it are the server's own."""
        self.start()
        readers = self.all(select(Reader.id).limit(50))
        self.session.execute(insert(Loan), [{"reader_id": reader} for reader in readers])
        self.assertStatements(2)
        self.assertQuiet()

    def test_bulk_insert_of_objects(self):
        self.start()
        readers = self.all(select(Reader.id).limit(50))
        self.session.add_all(Loan(reader_id=reader) for reader in readers)
        self.session.flush()
        self.assertStatements(2)
        self.assertQuiet()

    def test_polling(self):
        """One row is looked at again and again, each time in a transaction of its own."""
        self.start()
        for _ in range(9):
            self.all(select(Book.language).where(Book.number == 7))
            self.session.rollback()
        self.assertStatements(9)
        self.assertQuiet()

    def test_same_query_again(self):
        self.start()
        for _ in range(9):
            self.rows("SELECT number FROM books WHERE language = 'en' ORDER BY number LIMIT 3")
        self.assertStatements(9)
        self.assertQuiet()

    def test_pages_by_offset(self):
        self.start()
        for page in range(9):
            self.assertEqual(len(self.all(select(Book).order_by(Book.number).limit(10).offset(page * 10))), 10)
        self.assertStatements(9)
        self.assertQuiet()

    def test_pages_by_key(self):
        self.start()
        last = 0
        for _ in range(9):
            books = self.all(select(Book).where(Book.number > last).order_by(Book.number).limit(10))
            last = books[-1].number
        self.assertEqual(last, 90)
        self.assertStatements(9)
        self.assertQuiet()

    def test_pages_within_one_parent(self):
        """The parent's key is there nine times, and it is one and the same key."""
        self.start()
        author = self.session.get(Author, 3)
        last = 0
        for _ in range(9):
            query = select(Book).where(Book.author_id == author.id, Book.number > last).order_by(Book.number).limit(1)
            last = self.session.scalars(query).one().number
        self.assertStatements(1 + 9)
        self.assertQuiet()

    def test_list_and_one_detail(self):
        """Ten pages, each with the list of authors and the books of one of them."""
        self.start()
        for number in range(10):
            author = self.all(select(Author).order_by(Author.id))[number]
            self.assertEqual(len(author.books), 9)
            self.session.rollback()
            self.session.expunge_all()
        self.assertStatements(10 * 2)
        self.assertQuiet()

    def test_below_the_threshold(self):
        self.start()
        for author in self.all(select(Author).limit(4)):
            self.assertEqual(len(author.books), 9)
        self.assertStatements(1 + 4)
        self.assertQuiet()

    def test_keys_that_no_parent_returned(self):
        """There is a list of authors, but the look-ups are for others."""
        self.start()
        self.all(select(Author.id).where(Author.id <= 3))
        for number in (9, 4, 7, 10, 5, 8, 6):
            self.all(select(Book.number).where(Book.author_id == number))
        self.assertStatements(1 + 7)
        self.assertQuiet()

    def test_values_that_only_look_alike(self):
        """Chapter numbers and author numbers coincide, but no foreign key ties them."""
        self.start()
        for chapter in self.all(select(Chapter.id).order_by(Chapter.id).limit(9)):
            self.all(select(Book.number).where(Book.author_id == chapter))
        self.assertStatements(1 + 9)
        self.assertQuiet()


class QuietInTransaction(Quiet, SqlAlchemyCase):
    def test_server_side_cursor(self):
        """Ninety rows in nine portions are one statement."""
        self.start()
        books = self.session.scalars(select(Book).execution_options(yield_per=10))
        self.assertEqual(len({book.number for book in books}), 90)
        self.assertStatements(1)
        self.assertQuiet()

    def test_savepoints(self):
        """What rolls back to a savepoint was sent all the same."""
        self.start()
        for _ in range(4):
            with self.session.begin_nested() as savepoint:
                self.all(select(Book.number).where(Book.number == 1))
                savepoint.rollback()
        self.assertStatements(4)
        self.assertQuiet()


class QuietInAutocommit(Quiet, SqlAlchemyCase):
    isolation_level = "AUTOCOMMIT"


@preloaded_only
class QuietUnwatched(Quiet, SqlAlchemyCase):
    watched = False


@preloaded_only
class QuietUnwatchedInAutocommit(Quiet, SqlAlchemyCase):
    watched = False
    isolation_level = "AUTOCOMMIT"


if __name__ == "__main__":
    unittest.main()
