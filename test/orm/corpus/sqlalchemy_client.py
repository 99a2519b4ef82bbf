"""The corpus as SQLAlchemy's users write it: lazy relations of a session, get(), a unit of work that flushes."""

from datetime import datetime, timezone

from sqlalchemy import create_engine, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import joinedload, selectinload, sessionmaker

from client import check, main, pause, scenario
from sqlalchemy_models import (
    Author, Biography, Book, Chapter, Country, Event, Job, Loan, Order, OrderLine, Reader, Setting, Shelf, Tag, Worker,
)

# Where the database is, libpq reads from the environment.
engine = create_engine("postgresql+psycopg2://", future=True, connect_args={"application_name": "sqlalchemy"})
Session = sessionmaker(engine, future=True)


def each_author(session):
    authors = session.scalars(select(Author)).all()
    check(len(authors), 10)
    return authors


def now():
    return datetime.now(timezone.utc)


# Loops over rows.


@scenario
def lazy_to_one():
    with Session() as session:
        books = session.scalars(select(Book).where(Book.number % 9 == 1).order_by(Book.number)).all()
        check([book.author.id for book in books], list(range(1, 11)))


@scenario
def lazy_to_many():
    with Session() as session:
        check([len(author.books) for author in each_author(session)], [9] * 10)


@scenario
def lazy_to_many_in_transaction():
    with Session.begin() as session:
        check([len(author.books) for author in each_author(session)], [9] * 10)


def read_nested(session):
    check(sum(len(book.chapters) for author in each_author(session) for book in author.books), 180)


@scenario
def nested():
    with Session() as session:
        read_nested(session)


@scenario
def nested_in_transaction():
    with Session.begin() as session:
        read_nested(session)


@scenario
def one_to_one():
    with Session() as session:
        check({author.biography.id - author.id for author in each_author(session)}, {100})


@scenario
def text_key():
    with Session() as session:
        check(len({author.country.name for author in each_author(session)}), 10)


@scenario
def uuid_key():
    with Session() as session:
        books = session.scalars(select(Book).where(Book.number <= 20)).all()
        check([len(book.chapters) for book in books], [2] * 20)


@scenario
def many_to_many():
    with Session() as session:
        books = session.scalars(select(Book).where(Book.number <= 12)).all()
        check([len(book.tags) for book in books], [2] * 12)


@scenario
def counts():
    with Session() as session:
        for author in each_author(session):
            check(session.scalar(select(func.count()).select_from(Book).where(Book.author_id == author.id)), 9)


@scenario
def sums():
    with Session() as session:
        for author in each_author(session):
            check(session.scalar(select(func.sum(Book.price)).where(Book.author_id == author.id)) > 0, True)


@scenario
def exists():
    with Session() as session:
        for author in each_author(session):
            has_books = session.query(session.query(Book).filter(Book.author_id == author.id).exists()).scalar()
            check(has_books, True)


@scenario
def filtered_children():
    with Session() as session:
        for author in each_author(session):
            published = session.scalars(select(Book).where(Book.author_id == author.id, Book.published)).all()
            check(len(published), 6)


@scenario
def first_per_parent():
    with Session() as session:
        for author in each_author(session):
            last = session.scalars(select(Book).where(Book.author_id == author.id).order_by(Book.number.desc()).limit(1))
            check(last.first().number, 9 * author.id)


@scenario
def tree_walk():
    def walk(shelf):
        return 1 + sum(walk(child) for child in shelf.children)

    with Session() as session:
        check(walk(session.get(Shelf, 1)), 43)


@scenario
def large_loop():
    with Session() as session:
        readers = session.scalars(select(Reader).where(Reader.id <= 500)).all()
        check(sum(len(reader.loans) for reader in readers), 1000)


@scenario
def repeated_pages():
    for page in range(5):
        with Session() as session:
            readers = session.scalars(select(Reader).where(Reader.id.between(6 * page + 1, 6 * page + 6))).all()
            check([len(reader.loans) for reader in readers], [2] * 6)
        pause(100)


@scenario
def two_loops_on_a_page():
    with Session() as session:
        for author in each_author(session):
            check(author.biography.author_id, author.id)
            check(session.scalar(select(func.count()).select_from(Book).where(Book.author_id == author.id)), 9)


# Keys that come from the application.


@scenario
def lookup_loop():
    with Session() as session:
        for number in range(3, 91, 3):
            check(session.get(Reader, number).name, f"Reader {number}")


@scenario
def lookup_loop_by_email():
    with Session() as session:
        for number in range(1, 26):
            email = f"reader{number}@example.org"
            check(session.scalars(select(Reader).where(Reader.email == email)).one().id, number)


@scenario
def composite_lookup():
    with Session() as session:
        for number in range(1, 16):
            check(session.get(OrderLine, (number, 2)).title, "Line 2")


@scenario
def duplicates():
    with Session() as session:
        for _ in range(20):
            check(session.scalar(select(Setting.value).where(Setting.name == "setting-3")), "value 3")


@scenario
def same_parent():
    with Session() as session:
        chapters = session.scalars(select(Chapter).join(Chapter.book).where(Book.author_id == 1)).all()
        check(len(chapters), 18)
        for _ in chapters:
            check(session.get(Author, 1, populate_existing=True).name, "Author 1")


# Writes.


@scenario
def insert_loop():
    with Session() as session:
        for number in range(20):
            session.add(Event(kind=f"new {number}", created_at=now()))
            session.commit()


@scenario
def insert_loop_in_transaction():
    with Session.begin() as session:
        for number in range(20):
            session.add(Event(kind=f"new {number}", created_at=now()))
            session.flush()


@scenario
def update_loop():
    with Session() as session:
        readers = session.scalars(select(Reader).where(Reader.id <= 20)).all()
        check(len(readers), 20)
        for reader in readers:
            reader.name = reader.name + "!"
            session.commit()


@scenario
def update_loop_in_transaction():
    with Session.begin() as session:
        readers = session.scalars(select(Reader).where(Reader.id <= 20)).all()
        check(len(readers), 20)
        for reader in readers:
            reader.name = reader.name + "!"
            session.flush()


@scenario
def delete_loop():
    with Session() as session:
        for number in range(1, 16):
            session.delete(session.get(Job, number))
            session.commit()


@scenario
def transaction_per_row():
    for number in range(1, 16):
        with Session.begin() as session:
            reader = session.get(Reader, number)
            reader.name = reader.name + "!"


@scenario
def find_or_create():
    with Session() as session:
        for number in range(1, 16):
            tag = session.scalars(select(Tag).where(Tag.name == f"new-{number}")).one_or_none()
            check(tag, None)
            session.add(Tag(id=100 + number, name=f"new-{number}"))
            session.commit()


# What is well done.


@scenario
def eager_join():
    with Session() as session:
        authors = session.scalars(select(Author).options(joinedload(Author.books))).unique().all()
        check([len(author.books) for author in authors], [9] * 10)


@scenario
def eager_batch():
    with Session() as session:
        authors = session.scalars(select(Author).options(selectinload(Author.books).selectinload(Book.chapters))).all()
        check(sum(len(book.chapters) for author in authors for book in author.books), 180)


@scenario
def chunked():
    with Session() as session:
        for first in range(1, 201, 10):
            loans = session.scalars(select(Loan).where(Loan.reader_id.in_(range(first, first + 10)))).all()
            check(len(loans), 20)


@scenario
def chunked_tail():
    with Session() as session:
        for first in range(1, 79, 7):
            numbers = range(first, min(first + 7, 79))
            check(len(session.scalars(select(Reader).where(Reader.id.in_(numbers))).all()), len(numbers))


@scenario
def bulk_insert():
    with Session.begin() as session:
        session.add_all(Event(kind=f"new {number}", created_at=now()) for number in range(50))


@scenario
def bulk_update():
    with Session.begin() as session:
        changed = session.execute(update(Reader).where(Reader.id <= 50).values(name=Reader.name + "!"))
        check(changed.rowcount, 50)


@scenario
def upsert_batch():
    rows = [{"name": f"setting-{number}", "value": "new"} for number in range(1, 21)]
    statement = insert(Setting).values(rows)
    with Session.begin() as session:
        session.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": statement.excluded.value}))


@scenario
def polling():
    for _ in range(15):
        with Session() as session:
            check(session.scalar(select(func.count()).select_from(Job).where(Job.state == "waiting")), 60)
            check(session.get(Setting, "setting-1").value, "value 1")
        pause(80)


@scenario
def heartbeat():
    for _ in range(12):
        with Session.begin() as session:
            session.execute(update(Worker).where(Worker.name == "worker-1").values(seen_at=func.now()))
        pause(80)


def page_of_loans(session, page):
    loans = session.scalars(select(Loan).order_by(Loan.id).limit(20).offset(20 * page)).all()
    check(len(loans), 20)


@scenario
def offset_pages():
    with Session() as session:
        for page in range(12):
            page_of_loans(session, page)


@scenario
def keyset_pages():
    last = 0
    with Session() as session:
        for _ in range(12):
            loans = session.scalars(select(Loan).where(Loan.id > last).order_by(Loan.id).limit(20)).all()
            last = loans[-1].id
    check(last, 240)


@scenario
def pager_with_count():
    for page in range(8):
        with Session() as session:
            check(session.scalar(select(func.count()).select_from(Loan)), 1200)
            page_of_loans(session, page)
        pause(80)


@scenario
def queue_worker():
    waiting = select(Job).where(Job.state == "waiting").order_by(Job.id).limit(1).with_for_update(skip_locked=True)
    for _ in range(15):
        with Session.begin() as session:
            session.scalars(waiting).one().state = "done"


@scenario
def few_children():
    with Session() as session:
        authors = session.scalars(select(Author).where(Author.id <= 3)).all()
        check([len(author.books) for author in authors], [9] * 3)


@scenario
def list_then_detail():
    with Session() as session:
        author = next(author for author in each_author(session) if author.id == 4)
        check(len(author.books), 9)
        check(author.biography.id, 104)
        check(author.country.name, "Country 4")


def show_reader(session, number):
    reader = session.get(Reader, number)
    check(len(reader.loans), 2)
    check(reader.loans[0].book.number, 1 + number % 90)


@scenario
def requests():
    for number in range(1, 13):
        with Session() as session:
            show_reader(session, number)
        pause(80)


@scenario
def requests_in_transactions():
    for number in range(1, 13):
        with Session.begin() as session:
            show_reader(session, number)
        pause(80)


@scenario
def same_user_requests():
    for page in range(12):
        with Session() as session:
            check(session.get(Reader, 7).name, "Reader 7")
            page_of_loans(session, page)
        pause(80)


@scenario
def order_with_lines():
    with Session.begin() as session:
        session.add(Order(id=900, reader_id=1))
        session.flush()
        for line in range(1, 4):
            session.add(OrderLine(order_id=900, line=line, title=f"Line {line}", quantity=1))
            session.flush()


@scenario
def dashboard():
    with Session() as session:
        for query, figure in (
            (select(func.count()).select_from(Country), 10),
            (select(func.count(Author.id)).where(Author.active), 10),
            (select(func.max(Biography.id)), 110),
            (select(func.min(Book.price)), 1.5),
            (select(func.count(Chapter.id)), 180),
            (select(func.count()).select_from(Reader), 600),
            (select(func.count(func.distinct(Loan.reader_id))), 600),
            (select(func.sum(OrderLine.quantity)), 180),
            (select(func.count()).select_from(Job).where(Job.state == "waiting"), 60),
            (select(func.count()).select_from(Event), 600),
        ):
            check(session.scalar(query), figure)


@scenario
def date_ranges():
    found = 0
    with Session() as session:
        for month in range(1, 13):
            first = datetime(2026, month, 1, tzinfo=timezone.utc)
            end = datetime(2026 + month // 12, month % 12 + 1, 1, tzinfo=timezone.utc)
            found += session.scalar(
                select(func.count()).select_from(Event).where(Event.created_at >= first, Event.created_at < end)
            )
    check(found, 600)


@scenario
def cursor():
    with Session() as session:
        check(sum(1 for _ in session.scalars(select(Loan).execution_options(yield_per=100))), 1200)


@scenario
def rolled_back_test():
    with Session() as session:
        events = [Event(kind=f"new {number}", created_at=now()) for number in range(20)]
        for event in events:
            session.add(event)
            session.flush()
        numbers = [event.id for event in events]
        session.expire_all()
        for number in numbers:
            session.get(Event, number)
        session.rollback()


@scenario
def unnest_join():
    query = text("SELECT l.id FROM loans AS l JOIN unnest(:ids) AS u (id) ON l.reader_id = u.id")
    with Session() as session:
        check(len(session.execute(query, {"ids": list(range(1, 101))}).all()), 200)


def close_after(function):
    function()
    engine.dispose()


main(close_after)
