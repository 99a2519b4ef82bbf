"""Fixtures for a suite of pytest over SQLAlchemy: a test that names one of them is judged when it is over."""

import pytest
from sqlalchemy import BigInteger, Column, ForeignKey, Text, create_engine, select, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, declarative_base, relationship, selectinload

Base = declarative_base()
engine = create_engine("postgresql+psycopg2://", future=True)


class Author(Base):
    __tablename__ = "authors"
    id = Column(BigInteger, primary_key=True)
    name = Column(Text, nullable=False)
    books = relationship("Book")


class Book(Base):
    __tablename__ = "books"
    id = Column(UUID(as_uuid=True), primary_key=True)
    author_id = Column(ForeignKey("authors.id"), nullable=False)
    title = Column(Text, nullable=False)


@pytest.fixture
def session():
    with Session(engine, future=True) as session:
        yield session


@pytest.fixture
def watched(session, request):
    """The test is one block, which has the test's name in the messages."""
    session.execute(text("SELECT remedy.watch(:block)"), {"block": request.node.name})
    yield session
    session.execute(text("SELECT remedy.unwatch()"))


@pytest.fixture
def no_n_plus_one(watched):
    yield watched
    watched.execute(text("SELECT remedy.assert_no_n_plus_one()"))


@pytest.fixture
def at_most(watched):
    """at_most(6) asserts the budget of all statements so far, at_most(1, "%FROM books%") that of some."""

    def check(statements, like=None):
        watched.execute(
            text("SELECT remedy.assert_statements(:statements, :query_like)"),
            {"statements": statements, "query_like": like},
        )

    return check


def page(session, *options):
    return [[book.title for book in author.books] for author in session.scalars(select(Author).options(*options))]


def test_page(no_n_plus_one, at_most):
    page(no_n_plus_one, selectinload(Author.books))
    at_most(2)
    at_most(1, "%FROM books%")


def test_lazy_page(watched, at_most):
    page(watched)
    at_most(11)
    with pytest.raises(DBAPIError) as caught, watched.begin_nested():
        at_most(2)
    assert "Since remedy.watch('test_lazy_page')" in str(caught.value)
    with pytest.raises(DBAPIError) as caught, watched.begin_nested():
        watched.execute(text("SELECT remedy.assert_no_n_plus_one()"))
    assert caught.value.orig.pgcode == "P0004"
    assert "selectinload()" in str(caught.value)
