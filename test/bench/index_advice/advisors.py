"""The advisors. Each is given a database whose statements it may have watched, and answers with DDL.

SETTINGS are what its session that runs the workload sets; EXTENSION what it needs in the database.
"""

import pathlib
import time

import psycopg

import driver
import extend

HERE = pathlib.Path(__file__).parent


class Advisor:
    extension = None
    settings = ()
    watches = False  # whether it has to see the workload before it is asked

    def advise(self, connection, workload):
        return []


class Nothing(Advisor):
    pass


class Expert(Advisor):
    def advise(self, connection, workload):
        lines = [line for line in (HERE / (workload.name + "_expert.sql")).read_text().splitlines() if line and not line.startswith("--")]
        return [command.strip() for command in "\n".join(lines).split(";") if command.strip()]


class Remedy(Advisor):
    """What its views say today, row by row; a view that is not there yet says nothing."""
    extension = "pg_remedy"
    settings = ("pg_remedy.enabled = on",)
    watches = True

    def advise(self, connection, workload):
        ddl = []
        for query in ("SELECT fix_sql FROM remedy.missing_indexes WHERE fix_sql IS NOT NULL ORDER BY rank",
                      "SELECT fix_sql FROM remedy.redundant_indexes WHERE fix_sql IS NOT NULL",
                      "SELECT fix_sql FROM remedy.unused_indexes WHERE fix_sql IS NOT NULL"):
            try:
                ddl += [row[0].rstrip("; \n") for row in connection.execute(query).fetchall()]
            except psycopg.errors.UndefinedTable as error:
                print("pg_remedy: " + error.diag.message_primary)
        return list(dict.fromkeys(ddl))


class Qualstats(Advisor):
    extension = "pg_qualstats"
    settings = ("pg_qualstats.enabled = on", "pg_qualstats.sample_rate = 1")
    watches = True

    def advise(self, connection, workload):
        return connection.execute("SELECT pg_qualstats_index_advisor()").fetchone()[0]["indexes"]


class Extend(Advisor):
    extension = "hypopg"

    def advise(self, connection, workload):
        search = extend.Search(connection, workload.calls(0), driver.literally)
        ddl = search.run()
        print("extend: %d plannings" % search.plannings)
        return ddl


ADVISORS = {"none": Nothing, "expert": Expert, "pg_remedy": Remedy, "pg_qualstats": Qualstats, "extend": Extend}


def apply(connection, ddl):
    """Runs the advice; returns the seconds it took, the names of indexes that are gone, and what failed."""
    names = lambda: {row[0] for row in connection.execute("""SELECT indexrelid::regclass::text FROM pg_index AS i
        JOIN pg_class AS c ON c.oid = indexrelid WHERE NOT c.relispartition""").fetchall()}
    before, start, failed = names(), time.perf_counter(), []
    for command in ddl:
        try:
            connection.execute(command)
        except psycopg.Error as error:
            failed.append((command, str(error).splitlines()[0]))
    return time.perf_counter() - start, sorted(before - names()), failed
