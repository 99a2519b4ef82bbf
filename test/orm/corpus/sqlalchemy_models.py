"""The tables of schema.sql, mapped as SQLAlchemy's users map them."""

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, ForeignKey, Integer, Numeric, Table, Text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import declarative_base, relationship

Base = declarative_base()


class Country(Base):
    __tablename__ = "countries"
    code = Column(Text, primary_key=True)
    name = Column(Text, nullable=False)


class Author(Base):
    __tablename__ = "authors"
    id = Column(BigInteger, primary_key=True)
    country_code = Column(ForeignKey("countries.code"), nullable=False)
    name = Column(Text, nullable=False)
    active = Column(Boolean, nullable=False)
    country = relationship("Country")
    books = relationship("Book", back_populates="author")
    biography = relationship("Biography", uselist=False, back_populates="author")


class Biography(Base):
    __tablename__ = "biographies"
    id = Column(Integer, primary_key=True)
    author_id = Column(ForeignKey("authors.id"), nullable=False)
    body = Column(Text, nullable=False)
    author = relationship("Author", back_populates="biography")


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
    author_id = Column(ForeignKey("authors.id"), nullable=False)
    title = Column(Text, nullable=False)
    published = Column(Boolean, nullable=False)
    price = Column(Numeric(8, 2), nullable=False)
    author = relationship("Author", back_populates="books")
    chapters = relationship("Chapter", back_populates="book")
    tags = relationship("Tag", secondary=book_tags)


class Chapter(Base):
    __tablename__ = "chapters"
    id = Column(Integer, primary_key=True)
    book_id = Column(ForeignKey("books.id"), nullable=False)
    position = Column(Integer, nullable=False)
    title = Column(Text, nullable=False)
    book = relationship("Book", back_populates="chapters")


class Tag(Base):
    __tablename__ = "tags"
    id = Column(Integer, primary_key=True)
    name = Column(Text, nullable=False, unique=True)


class Shelf(Base):
    __tablename__ = "shelves"
    id = Column(Integer, primary_key=True)
    parent_id = Column(ForeignKey("shelves.id"))
    name = Column(Text, nullable=False)
    children = relationship("Shelf")


class Reader(Base):
    __tablename__ = "readers"
    id = Column(Integer, primary_key=True)
    name = Column(Text, nullable=False)
    email = Column(Text, nullable=False, unique=True)
    loans = relationship("Loan", back_populates="reader", order_by="Loan.id")


class Loan(Base):
    __tablename__ = "loans"
    id = Column(Integer, primary_key=True)
    reader_id = Column(ForeignKey("readers.id"), nullable=False)
    book_id = Column(ForeignKey("books.id"), nullable=False)
    day = Column(Date, nullable=False)
    reader = relationship("Reader", back_populates="loans")
    book = relationship("Book")


class Order(Base):
    __tablename__ = "orders"
    id = Column(Integer, primary_key=True)
    reader_id = Column(ForeignKey("readers.id"), nullable=False)


class OrderLine(Base):
    __tablename__ = "order_lines"
    order_id = Column(ForeignKey("orders.id"), primary_key=True)
    line = Column(Integer, primary_key=True)
    title = Column(Text, nullable=False)
    quantity = Column(Integer, nullable=False)


class Job(Base):
    __tablename__ = "jobs"
    id = Column(Integer, primary_key=True)
    state = Column(Text, nullable=False)
    payload = Column(Text, nullable=False)


class Event(Base):
    __tablename__ = "events"
    id = Column(BigInteger, primary_key=True)
    kind = Column(Text, nullable=False)
    created_at = Column(DateTime(timezone=True), nullable=False)


class Worker(Base):
    __tablename__ = "workers"
    name = Column(Text, primary_key=True)
    seen_at = Column(DateTime(timezone=True), nullable=False)


class Setting(Base):
    __tablename__ = "settings"
    name = Column(Text, primary_key=True)
    value = Column(Text, nullable=False)
