"""A mixin for Django's TestCase: the client's requests are judged, by a budget and for N+1."""

import os
import sys
import unittest
from contextlib import contextmanager

import django
from django.conf import settings
from django.db import connection, models, transaction
from django.db.utils import Error
from django.http import HttpResponse
from django.test import TestCase
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["testserver"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["PGDATABASE"],
            "USER": os.environ["PGUSER"],
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ["PGPORT"],
        }
    },
    ROOT_URLCONF=__name__,
)
django.setup()


class Author(models.Model):
    name = models.TextField()

    class Meta:
        app_label = "library"
        db_table = "authors"


class Book(models.Model):
    id = models.UUIDField(primary_key=True)
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
    title = models.TextField()

    class Meta:
        app_label = "library"
        db_table = "books"


def respond(authors):
    return HttpResponse("\n".join(f"{author.name}: {len(author.books.all())}" for author in authors))


urlpatterns = [
    path("authors", lambda request: respond(Author.objects.prefetch_related("books"))),
    path("lazy", lambda request: respond(Author.objects.all())),
]


class RemedyMixin:
    """A test database has the extension by CreateExtension("pg_remedy") in a migration."""

    @contextmanager
    def assertQueries(self, at_most, like=None):
        with connection.cursor() as cursor:
            cursor.execute("SELECT remedy.watch(%s)", [self.id()])
        yield
        # A failed assertion is a database error: the savepoint keeps TestCase's transaction usable.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT remedy.assert_statements(%s, %s)", [at_most, like])
            cursor.execute("SELECT remedy.assert_no_n_plus_one()")


class PageTest(RemedyMixin, TestCase):
    def test_page(self):
        with self.assertQueries(2):
            self.assertContains(self.client.get("/authors"), "Author 1: 9")

    def test_lazy_page(self):
        with self.assertRaisesRegex(Error, "11 statements were executed, at most 2 are allowed"):
            with self.assertQueries(2):
                self.client.get("/lazy")
        with self.assertRaisesRegex(Error, r"prefetch_related\(\) in Django"):
            with self.assertQueries(1, "%FROM books%"):
                self.client.get("/lazy")
        self.assertEqual(Author.objects.count(), 10)


if __name__ == "__main__":
    unittest.main(module=sys.modules[__name__])
