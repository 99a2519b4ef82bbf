"""Applications that read and write a json column while it becomes jsonb, each in its own thread.

A driver that prepares statements in the server gets the server's own error once after the swap, in a transaction that
it then tries again, as after any change of a column's type. The others notice nothing.
"""

import threading
import unittest

import psycopg2
from sqlalchemy import JSON, Column, Integer, create_engine
from sqlalchemy.orm import Session, declarative_base

from common import elsewhere

try:
    import psycopg
    from psycopg.types.json import Json
except ImportError:
    psycopg = None

ROWS = 3000
CHANGED = "cached plan must not change result type"
Base = declarative_base()


class Document(Base):
    __tablename__ = "documents"
    id = Column(Integer, primary_key=True)
    content = Column(JSON)


class Application(threading.Thread):
    """Writes the next number into its document, and reads it back, again and again."""

    def __init__(self, number):
        super().__init__()
        self.number = number
        self.written = 0
        self.errors = []
        self.wrong = []
        self.done = threading.Event()

    def write(self, content):
        raise NotImplementedError

    def read(self):
        raise NotImplementedError

    def roll_back(self):
        raise NotImplementedError

    def once(self, work):
        """A transaction; one that fails is tried again, as applications do."""
        for _ in range(3):
            try:
                return work()
            except Exception as error:  # pylint: disable=broad-except
                self.errors.append(str(error))
                self.roll_back()
        raise RuntimeError(f"{self.name} fails for good: {self.errors}")

    def run(self):
        while not self.done.is_set():
            self.written += 1
            content = {"n": self.written, "by": self.name}
            self.once(lambda content=content: self.write(content))
            found = self.once(self.read)
            if found != content:
                self.wrong.append((content, found))


class Preparing(Application):
    """psycopg 3, which prepares each statement in the server."""

    def __init__(self, number):
        super().__init__(number)
        self.connection = psycopg.connect("")
        self.connection.prepare_threshold = 0

    def write(self, content):
        self.connection.execute("UPDATE documents SET content = %s WHERE id = %s", (Json(content), self.number))
        self.connection.commit()

    def read(self):
        row = self.connection.execute("SELECT content FROM documents WHERE id = %s", (self.number,)).fetchone()
        self.connection.commit()
        return row[0]

    def roll_back(self):
        self.connection.rollback()


class Mapping(Application):
    """SQLAlchemy's session, whose column is declared as JSON all the time."""

    def __init__(self, number):
        super().__init__(number)
        self.session = Session(create_engine("postgresql+psycopg2://", future=True), future=True)

    def write(self, content):
        self.session.get(Document, self.number).content = content
        self.session.commit()

    def read(self):
        content = self.session.get(Document, self.number, populate_existing=True).content
        self.session.commit()
        return content

    def roll_back(self):
        self.session.rollback()


def call(command):
    """Procedures that commit are called outside of transactions."""
    connection = psycopg2.connect("")
    connection.autocommit = True
    connection.cursor().execute(command)
    connection.close()


def type_of_content():
    [(name,)] = elsewhere(
        "SELECT atttypid::regtype::text FROM pg_attribute WHERE attrelid = 'documents'::regclass AND attname = 'content'"
    )
    return name


@unittest.skipUnless(psycopg, "needs python3-psycopg")
class Migration(unittest.TestCase):
    def setUp(self):
        elsewhere("CREATE TABLE documents (id integer PRIMARY KEY, content json)")
        elsewhere(
            f"INSERT INTO documents SELECT i, json_build_object('n', 0, 'filler', repeat('x', 300))"
            f" FROM generate_series(1, {ROWS}) AS i"
        )
        self.applications = [Preparing(1), Mapping(2)]

    def check(self, swaps):
        """What has happened to the applications, after so many swaps of the columns."""
        preparing, mapping = self.applications
        self.assertEqual((preparing.wrong, mapping.wrong), ([], []))
        self.assertLessEqual(len(preparing.errors), swaps)
        self.assertTrue(all(CHANGED in error for error in preparing.errors), preparing.errors)
        self.assertEqual(mapping.errors, [])
        self.assertTrue(all(application.is_alive() for application in self.applications))

    def wait_for_writes(self):
        """Each application has gone round since."""
        for application in self.applications:
            before = application.written
            while application.written < before + 2 and application.is_alive():
                application.join(0.01)

    def test_applications_go_on(self):
        for application in self.applications:
            application.start()
            self.addCleanup(application.join)
            self.addCleanup(application.done.set)
        self.wait_for_writes()
        call("CALL remedy.migrate_json('documents', 'content', swap => 'wait')")
        self.wait_for_writes()
        self.check(swaps=0)
        for swaps, command, expected in (
            (1, "migrate_json", "jsonb"),
            (2, "undo_json_migration", "json"),
            (3, "migrate_json", "jsonb"),
        ):
            call(f"CALL remedy.{command}('documents', 'content')")
            self.wait_for_writes()
            self.assertEqual(type_of_content(), expected)
            self.check(swaps)
        call("CALL remedy.finish_json_migration('documents', 'content')")
        self.wait_for_writes()
        self.check(swaps=3)
        for application in self.applications:
            application.done.set()
            application.join()
            [(content,)] = elsewhere(f"SELECT content FROM documents WHERE id = {application.number}")
            self.assertEqual(content, {"n": application.written, "by": application.name})
        self.assertEqual(elsewhere("SELECT count(*), count(content) FROM documents"), [(ROWS, ROWS)])
