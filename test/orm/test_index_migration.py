"""Migrations written by remedy.format_index_migration() do in each tool exactly what they were given."""

import ast
import contextlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import types
import unittest
import unittest.mock

import psycopg2
from django.conf import settings
from django.db.migrations.state import ProjectState
from sqlalchemy import create_engine, text

settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["PGDATABASE"],
            "USER": os.environ["PGUSER"],
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ["PGPORT"],
        }
    },
)

HOSTILE = "a\\b \"\"\" ''' #{exit} #$0 :d \\:e %s ::f %% {x}\n\r\tEOF \\"
NAMES = ["plain", HOSTILE]
HAS_ALEMBIC = importlib.util.find_spec("alembic") is not None


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


CREATES = [f"CREATE INDEX CONCURRENTLY {quoted(n)} ON migrated (a) WHERE (b <> 'x :y \\ %'::text)" for n in NAMES]
DROPS = [f"DROP INDEX CONCURRENTLY IF EXISTS {quoted(n)}" for n in NAMES]


class MigrationCase(unittest.TestCase):
    def setUp(self):
        self.server = psycopg2.connect("")
        self.server.autocommit = True
        self.cursor = self.server.cursor()
        self.cursor.execute("DROP TABLE IF EXISTS migrated; CREATE TABLE migrated (a integer, b text)")
        self.addCleanup(self.server.close)

    def migration(self, migration_format):
        comments = ["first", "two\nlines \"\"\" ''' #{exit} %s \\"]
        self.cursor.execute(
            "SELECT remedy.format_index_migration(%s, %s, %s, %s)", (migration_format, CREATES, DROPS, comments)
        )
        return self.cursor.fetchone()[0]

    def indexes(self):
        self.cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'migrated'")
        return sorted(name for name, in self.cursor.fetchall())

    def assertUpAndDown(self, up, down):
        up()
        self.assertEqual(self.indexes(), sorted(NAMES))
        down()
        self.assertEqual(self.indexes(), [])

    def loaded(self, migration_format):
        """The migration as a module."""
        source = self.migration(migration_format)
        ast.parse(source)
        module = types.ModuleType("advised")
        exec(compile(source, "advised.py", "exec"), module.__dict__)
        return module

    def test_django(self):
        from django.db import connection

        migration = self.loaded("django").Migration("0002_indexes", "app")

        def run(operation):
            with connection.schema_editor(atomic=migration.atomic) as editor:
                getattr(migration, operation)(ProjectState(), editor)

        self.assertUpAndDown(lambda: run("apply"), lambda: run("unapply"))

    def test_text_of_sqlalchemy(self):
        """What op.execute() of Alembic hands over is what text() makes of it."""
        statements = []
        engine = create_engine("postgresql://")

        class Operations:
            @staticmethod
            def get_context():
                return types.SimpleNamespace(autocommit_block=contextlib.nullcontext)

            @staticmethod
            def execute(statement):
                statements.append(text(statement))

        with unittest.mock.patch.dict(sys.modules, alembic=types.SimpleNamespace(op=Operations)):
            module = self.loaded("alembic")

        def run(step):
            statements.clear()
            getattr(module, step)()
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                for statement in statements:
                    connection.execute(statement)

        self.assertUpAndDown(lambda: run("upgrade"), lambda: run("downgrade"))

    @unittest.skipUnless(HAS_ALEMBIC, "Alembic is not installed")
    def test_alembic(self):
        from alembic.migration import MigrationContext
        from alembic.operations import Operations

        module = self.loaded("alembic")

        def run(step):
            with create_engine("postgresql://").connect() as connection:
                context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
                with Operations.context(context), context.begin_transaction(_per_migration=True):
                    getattr(module, step)()

        self.assertUpAndDown(lambda: run("upgrade"), lambda: run("downgrade"))

    def test_rails(self):
        program = """
            require 'logger'
            require 'active_record'
            ActiveRecord::Base.establish_connection(adapter: 'postgresql', database: ENV['PGDATABASE'],
                                                    host: ENV['PGHOST'], username: ENV['PGUSER'])
            ActiveRecord::Migration.verbose = false
            load ARGV[0]
            AddAdvisedIndexes.migrate(ARGV[1].to_sym)
        """
        with tempfile.NamedTemporaryFile("w", suffix=".rb", newline="") as file:
            file.write(self.migration("rails"))
            file.flush()

            def run(direction):
                subprocess.run(["ruby", "-e", program, file.name, direction], check=True)

            self.assertUpAndDown(lambda: run("up"), lambda: run("down"))

    def test_psql(self):
        with tempfile.NamedTemporaryFile("w", suffix=".sql", newline="") as file:
            source = self.migration("sql")
            file.write(source)
            file.flush()

            def run(path):
                subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", path], check=True)

            run(file.name)
            self.assertEqual(self.indexes(), sorted(NAMES))

