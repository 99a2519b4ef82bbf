"""A library as SQLAlchemy models: every kind of key and relation that the tests loop over.

Ten countries have one author each, an author has nine books, and a book has two chapters and two tags.
"""

import uuid

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Session, declarative_base, relationship

AUTHORS = 10
BOOKS = 9
READERS = 2000

Base = declarative_base()


class Country(Base):
    __tablename__ = "countries"
    code = Column(Text, primary_key=True)
    authors = relationship("Author", back_populates="country")


class Author(Base):
    __tablename__ = "authors"
    id = Column(BigInteger, primary_key=True)
    country_code = Column(ForeignKey("countries.code"), nullable=False, index=True)
    country = relationship("Country", back_populates="authors")
    books = relationship("Book", back_populates="author")
    biography = relationship("Biography", uselist=False)


class Biography(Base):
    __tablename__ = "biographies"
    id = Column(Integer, primary_key=True)
    author_id = Column(ForeignKey("authors.id"), nullable=False, unique=True)


book_tags = Table(
    "book_tags",
    Base.metadata,
    Column("book_id", ForeignKey("books.id"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class Book(Base):
    __tablename__ = "books"
    id = Column(UUID(as_uuid=True), primary_key=True)
    number = Column(Integer, nullable=False, unique=True)
    author_id = Column(ForeignKey("authors.id"), nullable=False, index=True)
    language = Column(Text, nullable=False)
    author = relationship("Author", back_populates="books")
    chapters = relationship("Chapter", back_populates="book")
    tags = relationship("Tag", secondary=book_tags)


class Chapter(Base):
    __tablename__ = "chapters"
    id = Column(Integer, primary_key=True)
    book_id = Column(ForeignKey("books.id"), nullable=False, index=True)
    position = Column(Integer, nullable=False)
    book = relationship("Book", back_populates="chapters")


class Tag(Base):
    __tablename__ = "tags"
    id = Column(Integer, primary_key=True)


class Shelf(Base):
    """A tree: the library, its six rooms, and six shelves in each."""

    __tablename__ = "shelves"
    id = Column(Integer, primary_key=True)
    parent_id = Column(ForeignKey("shelves.id"), index=True)
    children = relationship("Shelf")


class Reader(Base):
    __tablename__ = "readers"
    id = Column(Integer, primary_key=True)


class Loan(Base):
    __tablename__ = "loans"
    id = Column(Integer, primary_key=True)
    reader_id = Column(ForeignKey("readers.id"), nullable=False, index=True)


def book(number):
    """Book ids are uuids that are the same in every run."""
    return Book(
        id=uuid.uuid5(uuid.NAMESPACE_OID, str(number)),
        number=number,
        author_id=(number - 1) // BOOKS + 1,
        language="en",
        chapters=[Chapter(position=1), Chapter(position=2)],
    )


def create(engine):
    Base.metadata.create_all(engine)
    with Session(engine, future=True) as session:
        session.add_all(Country(code=f"country {number}") for number in range(1, AUTHORS + 1))
        session.add_all(Reader(id=number) for number in range(1, READERS + 1))
        session.flush()
        for number in range(1, AUTHORS + 1):
            session.add(Author(id=number, country_code=f"country {number}", biography=Biography()))
        tags = [Tag(), Tag()]
        for number in range(1, AUTHORS * BOOKS + 1):
            written = book(number)
            written.tags = tags
            session.add(written)
        rooms = [Shelf(children=[Shelf() for _ in range(6)]) for _ in range(6)]
        session.add(Shelf(id=100, children=rooms))
        session.flush()
        session.execute(text("CREATE VIEW author_list AS SELECT id AS author, country_code FROM authors"))
        session.execute(text("CREATE VIEW book_list AS SELECT number, author_id AS writer FROM books"))
        session.commit()
