"""Django, which runs in autocommit unless told otherwise: what it repeats is found, what it batches is left alone."""

import os
import unittest
import uuid

import django
from django.apps import AppConfig
from django.conf import settings
from django.db import connection, models, transaction
from django.db.utils import Error

from common import RemedyCase, found, preloaded_only


class Library(AppConfig):
    """This file is the whole application."""

    name = __name__
    label = "library"


settings.configure(
    INSTALLED_APPS=[f"{__name__}.Library"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["PGDATABASE"],
            "USER": os.environ["PGUSER"],
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ["PGPORT"],
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
)
django.setup()


class Country(models.Model):
    code = models.CharField(max_length=20, primary_key=True)


class Tag(models.Model):
    pass

class Author(models.Model):
    country = models.ForeignKey(Country, models.CASCADE, related_name="authors")


class Biography(models.Model):
    author = models.OneToOneField(Author, models.CASCADE)


class Book(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    number = models.IntegerField(unique=True)
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
    tags = models.ManyToManyField(Tag)


class Chapter(models.Model):
    book = models.ForeignKey(Book, models.CASCADE, related_name="chapters")


class Shelf(models.Model):
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")


def setUpModule():
    """Ten countries with one author each; an author has nine books, a book two chapters and two tags."""
    with connection.schema_editor() as editor:
        for model in (Country, Tag, Author, Biography, Book, Chapter, Shelf):
            editor.create_model(model)
    Country.objects.bulk_create(Country(code=f"country {number}") for number in range(1, 11))
    Author.objects.bulk_create(Author(id=number, country_id=f"country {number}") for number in range(1, 11))
    Biography.objects.bulk_create(Biography(author_id=number) for number in range(1, 11))
    tags = [Tag.objects.create(), Tag.objects.create()]
    for number in range(1, 91):
        book = Book.objects.create(number=number, author_id=(number - 1) // 9 + 1)
        Chapter.objects.bulk_create([Chapter(book=book), Chapter(book=book)])
        book.tags.set(tags)
    library = Shelf.objects.create(id=100)
    Shelf.objects.bulk_create(Shelf(parent=library) for _ in range(6))


class DjangoCase(RemedyCase):
    """Django opens the test's connection at its first query."""

    atomic = False

    def setUp(self):
        super().setUp()
        connection.close()
        self.addCleanup(connection.close)
        if self.atomic:
            block = transaction.atomic()
            block.__enter__()
            self.addCleanup(block.__exit__, None, None, None)
            self.addCleanup(transaction.set_rollback, True)  # Clean-ups run backwards.

    def rows(self, query):
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall() if cursor.description else []


class Loops:
    def test_children(self):
        self.start()
        for author in Author.objects.all():
            self.assertEqual(len(author.books.all()), 9)
        self.assertStatements(1 + 10)
        self.assertFound(found("library_book.author_id", "library_author.id", "1:N", 10))

    def test_children_by_uuid(self):
        self.start()
        for book in Book.objects.order_by("number")[:12]:
            self.assertEqual(len(book.chapters.all()), 2)
        self.assertStatements(1 + 12)
        self.assertFound(found("library_chapter.book_id", "library_book.id", "1:N", 12))

    def test_parent(self):
        """Without an identity map, each of twelve books asks for its author, though they are only two."""
        self.start()
        self.assertEqual(len({book.author.id for book in Book.objects.order_by("number")[:12]}), 2)
        self.assertStatements(1 + 12)
        self.assertFound(found("library_author.id", "library_book.author_id", "N:1", 12))

    def test_parent_by_text(self):
        self.start()
        self.assertEqual(len({author.country.code for author in Author.objects.all()}), 10)
        self.assertStatements(1 + 10)
        self.assertFound(found("library_country.code", "library_author.country_id", "N:1", 10))

    def test_one_to_one(self):
        self.start()
        for author in Author.objects.all():
            self.assertEqual(author.biography.author_id, author.id)
        self.assertStatements(1 + 10)
        self.assertFound(found("library_biography.author_id", "library_author.id", "N:1", 10))

    def test_nested(self):
        self.start()
        authors = Author.objects.all()
        self.assertEqual(sum(len(book.chapters.all()) for author in authors for book in author.books.all()), 180)
        self.assertStatements(1 + 10 + 90)
        self.assertFound(
            found("library_book.author_id", "library_author.id", "1:N", 10),
            found("library_chapter.book_id", "library_book.id", "1:N", 90),
        )

    def test_many_to_many(self):
        self.start()
        for book in Book.objects.order_by("number")[:12]:
            self.assertEqual(len(book.tags.all()), 2)
        self.assertStatements(1 + 12)
        self.assertFound(found("library_book_tags.book_id", "library_book.id", "1:N", 12))

    def test_self_reference(self):
        self.start()
        for shelf in Shelf.objects.filter(parent=100):
            self.assertEqual(len(shelf.children.all()), 0)
        self.assertStatements(1 + 6)
        self.assertFound(found("library_shelf.parent_id", "library_shelf.id", "1:N", 6))

    def test_count(self):
        self.start()
        for author in Author.objects.all():
            self.assertEqual(author.books.count(), 9)
        self.assertStatements(1 + 10)
        self.assertFound(found("library_book.author_id", "library_author.id", "1:N", 10, "count"))

    def test_exists(self):
        self.start()
        for author in Author.objects.all():
            self.assertTrue(author.books.exists())
        self.assertStatements(1 + 10)
        self.assertFound(found("library_book.author_id", "library_author.id", "1:N", 10, "exists"))

    def test_iterator_drives_the_loop(self):
        """The parent comes from a server-side cursor in portions of four."""
        self.start()
        for author in Author.objects.iterator(chunk_size=4):
            self.assertEqual(len(author.books.all()), 9)
        self.assertStatements(1 + 10)
        self.assertFound(found("library_book.author_id", "library_author.id", "1:N", 10))


class Quiet:
    def test_prefetch_related(self):
        self.start()
        authors = Author.objects.prefetch_related("books__chapters")
        self.assertEqual(sum(len(book.chapters.all()) for author in authors for book in author.books.all()), 180)
        self.assertStatements(3)
        self.assertQuiet()

    def test_select_related(self):
        self.start()
        books = Book.objects.select_related("author__country")
        self.assertEqual(len({book.author.country.code for book in books}), 10)
        self.assertStatements(1)
        self.assertQuiet()

    def test_annotate(self):
        self.start()
        self.assertEqual({author.n for author in Author.objects.annotate(n=models.Count("books"))}, {9})
        self.assertStatements(1)
        self.assertQuiet()

    def test_in_bulk(self):
        self.start()
        numbers = list(Author.objects.values_list("id", flat=True))
        for first in range(0, 10, 2):
            self.assertEqual(len(Author.objects.in_bulk(numbers[first : first + 2])), 2)
        self.assertStatements(1 + 5)
        self.assertQuiet()

    def test_bulk_create(self):
        """Fifty rows in one statement."""
        book = Book.objects.first()
        self.start()
        chapters = Chapter.objects.bulk_create(Chapter(book=book) for _ in range(50))
        self.addCleanup(Chapter.objects.filter(id__gte=chapters[0].id).delete)
        self.assertStatements(1)
        self.assertQuiet()

    def test_iterator(self):
        self.start()
        self.assertEqual(len(list(Book.objects.iterator(chunk_size=10))), 90)
        self.assertStatements(1)
        self.assertQuiet()

    def test_pages(self):
        self.start()
        for page in range(9):
            self.assertEqual(len(Book.objects.order_by("number")[page * 10 : page * 10 + 10]), 10)
        self.assertStatements(9)
        self.assertQuiet()

    def test_polling(self):
        book = Book.objects.get(number=7)
        self.start()
        for _ in range(9):
            book.refresh_from_db()
        self.assertStatements(9)
        self.assertQuiet()

    def test_list_and_one_detail(self):
        self.start()
        for page in range(10):
            author = list(Author.objects.order_by("id"))[page]
            self.assertEqual(len(author.books.all()), 9)
        self.assertStatements(10 * 2)
        self.assertQuiet()

    def test_below_the_threshold(self):
        self.start()
        for author in Author.objects.all()[:4]:
            self.assertEqual(len(author.books.all()), 9)
        self.assertStatements(1 + 4)
        self.assertQuiet()


class InAutocommit(Loops, Quiet, DjangoCase):
    def test_budget_exceeded(self):
        self.start()
        for author in Author.objects.all():
            len(author.books.all())
        message = self.assertRaises0004(Error, "SELECT remedy.assert_statements(10)")
        self.assertIn("library_book", message)
        self.assertRaises0004(Error, "SELECT remedy.assert_no_n_plus_one()")


class InTransaction(Loops, Quiet, DjangoCase):
    atomic = True


@preloaded_only
class SeenOnce(Loops, Quiet, DjangoCase):
    watched = False


@preloaded_only
class SeenOnceInTransaction(Loops, Quiet, DjangoCase):
    watched = False
    atomic = True


if __name__ == "__main__":
    unittest.main()
