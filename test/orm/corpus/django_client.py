"""The corpus as Django's users write it: managers of relations, in autocommit unless a block is atomic."""

import os
from datetime import datetime, timezone

import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["django_library"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ.get("PGDATABASE"),
            "USER": os.environ.get("PGUSER"),
            "HOST": os.environ.get("PGHOST"),
            "PORT": os.environ.get("PGPORT"),
            "OPTIONS": {"application_name": "django"},
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    TIME_ZONE="UTC",
    USE_TZ=True,
)
django.setup()

from django.db import connection, transaction  # noqa: E402 (Django wants its settings first)
from django.db.models import Count, Max, Min, Sum  # noqa: E402
from django.utils.timezone import now  # noqa: E402

from client import check, main, pause, scenario  # noqa: E402
from django_library.models import (  # noqa: E402
    Author, Biography, Book, Chapter, Country, Event, Job, Loan, Order, OrderLine, Reader, Setting, Shelf, Tag, Worker,
)


def each_author():
    authors = list(Author.objects.all())
    check(len(authors), 10)
    return authors


# Loops over rows.


@scenario
def lazy_to_one():
    books = Book.objects.filter(number__in=range(1, 91, 9)).order_by("number")
    check([book.author.id for book in books], list(range(1, 11)))


@scenario
def lazy_to_many():
    check([len(author.books.all()) for author in each_author()], [9] * 10)


@scenario
def lazy_to_many_in_transaction():
    with transaction.atomic():
        check([len(author.books.all()) for author in each_author()], [9] * 10)


@scenario
def nested():
    check(sum(len(book.chapters.all()) for author in each_author() for book in author.books.all()), 180)


@scenario
def nested_in_transaction():
    with transaction.atomic():
        nested()


@scenario
def one_to_one():
    check({author.biography.id - author.id for author in each_author()}, {100})


@scenario
def text_key():
    check(len({author.country.name for author in each_author()}), 10)


@scenario
def uuid_key():
    check([len(book.chapters.all()) for book in Book.objects.filter(number__lte=20)], [2] * 20)


@scenario
def many_to_many():
    check([len(book.tags.all()) for book in Book.objects.filter(number__lte=12)], [2] * 12)


@scenario
def counts():
    check([author.books.count() for author in each_author()], [9] * 10)


@scenario
def sums():
    for author in each_author():
        check(author.books.aggregate(total=Sum("price"))["total"] > 0, True)


@scenario
def exists():
    check([author.books.exists() for author in each_author()], [True] * 10)


@scenario
def filtered_children():
    check([len(author.books.filter(published=True)) for author in each_author()], [6] * 10)


@scenario
def first_per_parent():
    for author in each_author():
        check(author.books.order_by("-number").first().number, 9 * author.id)


@scenario
def tree_walk():
    def walk(shelf):
        return 1 + sum(walk(child) for child in shelf.children.all())

    check(walk(Shelf.objects.get(id=1)), 43)


@scenario
def large_loop():
    check(sum(len(reader.loans.all()) for reader in Reader.objects.filter(id__lte=500)), 1000)


@scenario
def repeated_pages():
    for page in range(5):
        readers = Reader.objects.filter(id__gt=6 * page, id__lte=6 * page + 6)
        check([len(reader.loans.all()) for reader in readers], [2] * 6)
        pause(100)


@scenario
def two_loops_on_a_page():
    for author in each_author():
        check(author.biography.author_id, author.id)
        check(author.books.count(), 9)


# Keys that come from the application.


@scenario
def lookup_loop():
    for number in range(3, 91, 3):
        check(Reader.objects.get(id=number).name, f"Reader {number}")


@scenario
def lookup_loop_by_email():
    for number in range(1, 26):
        check(Reader.objects.get(email=f"reader{number}@example.org").id, number)


@scenario
def composite_lookup():
    for number in range(1, 16):
        check(OrderLine.objects.get(order_id=number, line=2).title, "Line 2")


@scenario
def duplicates():
    for _ in range(20):
        check(Setting.objects.get(name="setting-3").value, "value 3")


@scenario
def same_parent():
    chapters = list(Chapter.objects.filter(book__author_id=1))
    check(len(chapters), 18)
    for _ in chapters:
        check(Author.objects.get(id=1).name, "Author 1")


# Writes.


@scenario
def insert_loop():
    for number in range(20):
        Event.objects.create(kind=f"new {number}", created_at=now())


@scenario
def insert_loop_in_transaction():
    with transaction.atomic():
        insert_loop()


@scenario
def update_loop():
    readers = list(Reader.objects.filter(id__lte=20))
    check(len(readers), 20)
    for reader in readers:
        reader.name += "!"
        reader.save()


@scenario
def update_loop_in_transaction():
    with transaction.atomic():
        update_loop()


@scenario
def delete_loop():
    for number in range(1, 16):
        Job.objects.get(id=number).delete()


@scenario
def transaction_per_row():
    for number in range(1, 16):
        with transaction.atomic():
            reader = Reader.objects.get(id=number)
            reader.name += "!"
            reader.save()


@scenario
def find_or_create():
    for number in range(1, 16):
        _, created = Tag.objects.get_or_create(name=f"new-{number}", defaults={"id": 100 + number})
        check(created, True)


# What is well done.


@scenario
def eager_join():
    # Django joins towards one row only.
    books = Book.objects.select_related("author")
    check(len({book.author.id for book in books}), 10)


@scenario
def eager_batch():
    authors = Author.objects.prefetch_related("books__chapters")
    check(sum(len(book.chapters.all()) for author in authors for book in author.books.all()), 180)


@scenario
def chunked():
    for first in range(1, 201, 10):
        check(len(Loan.objects.filter(reader_id__in=range(first, first + 10))), 20)


@scenario
def chunked_tail():
    for first in range(1, 79, 7):
        numbers = range(first, min(first + 7, 79))
        check(len(Reader.objects.in_bulk(numbers)), len(numbers))


@scenario
def bulk_insert():
    Event.objects.bulk_create(Event(kind=f"new {number}", created_at=now()) for number in range(50))


@scenario
def bulk_update():
    readers = list(Reader.objects.filter(id__lte=50))
    check(len(readers), 50)
    for reader in readers:
        reader.name += "!"
    Reader.objects.bulk_update(readers, ["name"])


@scenario
def upsert_batch():
    rows = [(f"setting-{number}", "new") for number in range(1, 21)]
    values = ", ".join(["(%s, %s)"] * len(rows))
    with connection.cursor() as sql:
        sql.execute(
            f"INSERT INTO settings (name, value) VALUES {values} ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value",
            [value for row in rows for value in row],
        )
        check(sql.rowcount, 20)


@scenario
def polling():
    for _ in range(15):
        check(Job.objects.filter(state="waiting").count(), 60)
        check(Setting.objects.get(name="setting-1").value, "value 1")
        pause(80)


@scenario
def heartbeat():
    for _ in range(12):
        Worker.objects.filter(name="worker-1").update(seen_at=now())
        pause(80)


def page_of_loans(page):
    check(len(Loan.objects.order_by("id")[20 * page : 20 * page + 20]), 20)


@scenario
def offset_pages():
    for page in range(12):
        page_of_loans(page)


@scenario
def keyset_pages():
    last = 0
    for _ in range(12):
        loans = list(Loan.objects.filter(id__gt=last).order_by("id")[:20])
        last = loans[-1].id
    check(last, 240)


@scenario
def pager_with_count():
    for page in range(8):
        check(Loan.objects.count(), 1200)
        page_of_loans(page)
        pause(80)


@scenario
def queue_worker():
    for _ in range(15):
        with transaction.atomic():
            job = Job.objects.select_for_update(skip_locked=True).filter(state="waiting").order_by("id").first()
            job.state = "done"
            job.save()


@scenario
def few_children():
    check([len(author.books.all()) for author in Author.objects.filter(id__lte=3)], [9] * 3)


@scenario
def list_then_detail():
    author = next(author for author in each_author() if author.id == 4)
    check(len(author.books.all()), 9)
    check(author.biography.id, 104)
    check(author.country.name, "Country 4")


def show_reader(number):
    reader = Reader.objects.get(id=number)
    loans = list(reader.loans.order_by("id"))
    check(len(loans), 2)
    check(loans[0].book.number, 1 + number % 90)


@scenario
def requests():
    for number in range(1, 13):
        show_reader(number)
        pause(80)


@scenario
def requests_in_transactions():
    for number in range(1, 13):
        with transaction.atomic():
            show_reader(number)
        pause(80)


@scenario
def same_user_requests():
    for page in range(12):
        check(Reader.objects.get(id=7).name, "Reader 7")
        page_of_loans(page)
        pause(80)


@scenario
def order_with_lines():
    with transaction.atomic():
        order = Order.objects.create(id=900, reader_id=1)
        for line in range(1, 4):
            OrderLine.objects.create(order=order, line=line, title=f"Line {line}", quantity=1)


@scenario
def dashboard():
    check(Country.objects.count(), 10)
    check(Author.objects.filter(active=True).count(), 10)
    check(Biography.objects.aggregate(n=Max("id"))["n"], 110)
    check(Book.objects.aggregate(n=Min("price"))["n"], 1.5)
    check(Chapter.objects.count(), 180)
    check(Reader.objects.count(), 600)
    check(Loan.objects.aggregate(n=Count("reader", distinct=True))["n"], 600)
    check(OrderLine.objects.aggregate(n=Sum("quantity"))["n"], 180)
    check(Job.objects.filter(state="waiting").count(), 60)
    check(Event.objects.count(), 600)


@scenario
def date_ranges():
    found = 0
    for month in range(1, 13):
        first = datetime(2026, month, 1, tzinfo=timezone.utc)
        end = datetime(2026 + month // 12, month % 12 + 1, 1, tzinfo=timezone.utc)
        found += Event.objects.filter(created_at__gte=first, created_at__lt=end).count()
    check(found, 600)


@scenario
def cursor():
    check(sum(1 for _ in Loan.objects.iterator(chunk_size=100)), 1200)


@scenario
def rolled_back_test():
    with transaction.atomic():
        numbers = [Event.objects.create(kind=f"new {number}", created_at=now()).id for number in range(20)]
        for number in numbers:
            check(Event.objects.get(id=number).id, number)
        transaction.set_rollback(True)


@scenario
def unnest_join():
    query = "SELECT l.* FROM loans AS l JOIN unnest(%s) AS u (id) ON l.reader_id = u.id"
    check(len(Loan.objects.raw(query, [list(range(1, 101))])), 200)


def close_after(function):
    function()
    connection.close()


main(close_after)
