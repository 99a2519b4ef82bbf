"""Lazily loading SQLAlchemy code is found, with its parent, child, direction and exact number of repeats."""

import unittest

from sqlalchemy import func, select

from common import found, preloaded_only
from library import Author, Book, Chapter, Country, Loan, Reader, Shelf
from sqlalchemy_case import SqlAlchemyCase, create_library


def setUpModule():
    create_library()


class Loops:
    """Code that walks from object to object. It runs in a transaction, in autocommit, and unwatched."""

    def test_children_by_bigint(self):
        self.start()
        for author in self.all(select(Author)):
            self.assertEqual(len(author.books), 9)
        self.assertStatements(1 + 10)
        self.assertFound(found("books.author_id", "authors.id", "1:N", 10))

    def test_children_by_text(self):
        self.start()
        for country in self.all(select(Country)):
            self.assertEqual(len(country.authors), 1)
        self.assertStatements(1 + 10)
        self.assertFound(found("authors.country_code", "countries.code", "1:N", 10))

    def test_children_by_uuid(self):
        self.start()
        for book in self.all(select(Book).order_by(Book.number).limit(12)):
            self.assertEqual(len(book.chapters), 2)
        self.assertStatements(1 + 12)
        self.assertFound(found("chapters.book_id", "books.id", "1:N", 12))

    def test_parent_by_bigint(self):
        """Ninety books have ten authors, and the identity map asks for each author once."""
        self.start()
        books = self.all(select(Book))
        self.assertEqual(len({book.author for book in books}), 10)
        self.assertStatements(1 + 10)
        self.assertFound(found("authors.id", "books.author_id", "N:1", 10))

    def test_parent_by_text(self):
        self.start()
        for author in self.all(select(Author)):
            self.assertEqual(author.country.code, author.country_code)
        self.assertStatements(1 + 10)
        self.assertFound(found("countries.code", "authors.country_code", "N:1", 10))

    def test_parent_by_uuid(self):
        self.start()
        for chapter in self.all(select(Chapter).where(Chapter.position == 1).order_by(Chapter.id).limit(12)):
            self.assertEqual(chapter.book.language, "en")
        self.assertStatements(1 + 12)
        self.assertFound(found("books.id", "chapters.book_id", "N:1", 12))

    def test_one_to_one(self):
        """The child's key is unique, so one joined row per parent will do."""
        self.start()
        for author in self.all(select(Author)):
            self.assertEqual(author.biography.author_id, author.id)
        self.assertStatements(1 + 10)
        self.assertFound(found("biographies.author_id", "authors.id", "N:1", 10))

    def test_nested(self):
        self.start()
        authors = self.all(select(Author))
        self.assertEqual(sum(len(book.chapters) for author in authors for book in author.books), 180)
        self.assertStatements(1 + 10 + 90)
        self.assertFound(
            found("books.author_id", "authors.id", "1:N", 10),
            found("chapters.book_id", "books.id", "1:N", 90),
        )

    def test_two_relations_of_the_same_rows(self):
        self.start()
        for author in self.all(select(Author)):
            self.assertEqual((len(author.books), author.country.code), (9, author.country_code))
        self.assertStatements(1 + 10 + 10)
        self.assertFound(
            found("books.author_id", "authors.id", "1:N", 10),
            found("countries.code", "authors.country_code", "N:1", 10),
        )

    def test_many_to_many(self):
        """The join table carries the parent's key."""
        self.start()
        for book in self.all(select(Book).order_by(Book.number).limit(12)):
            self.assertEqual(len(book.tags), 2)
        self.assertStatements(1 + 12)
        self.assertFound(found("book_tags.book_id", "books.id", "1:N", 12))

    def test_self_reference(self):
        self.start()
        for room in self.all(select(Shelf).where(Shelf.parent_id == 100)):
            self.assertEqual(len(room.children), 6)
        self.assertStatements(1 + 6)
        self.assertFound(found("shelves.parent_id", "shelves.id", "1:N", 6))

    def test_walk_down_a_tree(self):
        """Every level is both child of the one above and parent of the one below."""

        def walk(shelf):
            return 1 + sum(walk(child) for child in shelf.children)

        self.start()
        self.assertEqual(walk(self.session.get(Shelf, 100)), 43)
        self.assertStatements(1 + 43)
        self.assertFound(found("shelves.parent_id", "shelves.id", "1:N", 43))

    def test_count(self):
        self.start()
        for author in self.all(select(Author)):
            books = select(func.count()).select_from(Book).where(Book.author_id == author.id)
            self.assertEqual(self.session.scalar(books), 9)
        self.assertStatements(1 + 10)
        self.assertFound(found("books.author_id", "authors.id", "1:N", 10, "count"))

    def test_exists(self):
        self.start()
        for author in self.all(select(Author)):
            self.assertTrue(self.session.scalar(select(select(Book.id).where(Book.author_id == author.id).exists())))
        self.assertStatements(1 + 10)
        self.assertFound(found("books.author_id", "authors.id", "1:N", 10, "exists"))

    def test_first_of_each(self):
        self.start()
        for author in self.all(select(Author)):
            newest = select(Book).where(Book.author_id == author.id).order_by(Book.number.desc()).limit(1)
            self.assertEqual(self.session.scalars(newest).one().number, author.id * 9)
        self.assertStatements(1 + 10)
        self.assertFound(found("books.author_id", "authors.id", "1:N", 10))

    def test_constant_beside_the_key(self):
        self.start()
        for author in self.all(select(Author)):
            english = select(Book).where(Book.author_id == author.id, Book.language == "en")
            self.assertEqual(len(self.all(english)), 9)
        self.assertStatements(1 + 10)
        self.assertFound(found("books.author_id", "authors.id", "1:N", 10))

    def test_views(self):
        """The finding names the tables behind the views."""
        self.start()
        for (author,) in self.rows("SELECT author FROM author_list"):
            self.assertEqual(len(self.rows(f"SELECT number FROM book_list WHERE writer = {author}")), 9)
        self.assertStatements(1 + 10)
        self.assertFound(found("books.author_id", "authors.id", "1:N", 10))

    def test_prepared_statement(self):
        """EXECUTE hands the key over as a parameter; PREPARE itself is no statement that counts."""
        self.start()
        self.rows("PREPARE books_of (bigint) AS SELECT number FROM books WHERE author_id = $1")
        for author in self.all(select(Author)):
            self.assertEqual(len(self.rows(f"EXECUTE books_of ({author.id})")), 9)
        self.assertStatements(1 + 10)
        self.assertFound(found("books.author_id", "authors.id", "1:N", 10))


class LoopsInTransaction(Loops, SqlAlchemyCase):
    def test_cursor_drives_the_loop(self):
        """The parent's rows come in portions, and the children run in between."""
        self.start()
        for author in self.session.scalars(select(Author).execution_options(yield_per=4)):
            self.assertEqual(len(author.books), 9)
        self.assertStatements(1 + 10)
        self.assertFound(found("books.author_id", "authors.id", "1:N", 10))

    def test_long_loop(self):
        self.start()
        for reader in self.all(select(Reader.id)):
            self.session.execute(select(Loan.id).where(Loan.reader_id == reader)).all()
        self.assertStatements(1 + 2000)
        self.assertFound(found("loans.reader_id", "readers.id", "1:N", 2000))

    def test_statements_of_the_transaction(self):
        """The count can be read at any time; its first call loads the library where that is not preloaded."""
        self.assertEqual(self.rows("SELECT remedy.transaction_statements()"), [(0,)])
        for author in self.all(select(Author)):
            len(author.books)
        self.assertEqual(self.rows("SELECT remedy.transaction_statements()"), [(11,)])
        self.session.rollback()
        self.assertEqual(self.rows("SELECT remedy.transaction_statements()"), [(0,)])


class LoopsInAutocommit(Loops, SqlAlchemyCase):
    isolation_level = "AUTOCOMMIT"


@preloaded_only
class LoopsSeenOnce(Loops, SqlAlchemyCase):
    watched = False


@preloaded_only
class LoopsSeenOnceInAutocommit(Loops, SqlAlchemyCase):
    watched = False
    isolation_level = "AUTOCOMMIT"


if __name__ == "__main__":
    unittest.main()
