"""The ground of the SQLAlchemy tests: the library's tables, and one fresh session for each test."""

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

import library
from common import RemedyCase


def create_library():
    """To be called once in each file, since each file has a database of its own."""
    engine = create_engine("postgresql+psycopg2://", future=True)
    library.create(engine)
    engine.dispose()


class SqlAlchemyCase(RemedyCase):
    """The session is used as applications use it: it opens its transaction itself."""

    url = "postgresql+psycopg2://"
    isolation_level = "READ COMMITTED"

    def setUp(self):
        super().setUp()
        engine = create_engine(self.url, future=True, isolation_level=self.isolation_level)
        self.addCleanup(engine.dispose)
        self.session = Session(engine, future=True)
        self.addCleanup(self.session.close)

    def rows(self, query):
        result = self.session.execute(text(query))
        return result.all() if result.returns_rows else []

    def all(self, query):
        return self.session.scalars(query).all()
