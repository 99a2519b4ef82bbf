"""The demo: two pages of a SQLAlchemy application, loading lazily and then mended; then its json column becomes
jsonb, and its dashboard gets a rollup.

Every count it prints comes from the server, and it ends with an error when one is not as expected.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import sqlalchemy
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

import dashboard
import documents
import pages
from data import sample_data
from models import Base

HERE = Path(__file__).parent
RENDERINGS = 15  # The table shows their median time.
BUDGET = 6  # Statements that the workflow page may cost.
LAZY = {"workflow page": (), "inventory list": ()}
MENDED = {"workflow page": pages.WORKFLOW_LOADING, "inventory list": pages.INVENTORY_LOADING}
EXPECTED_STATEMENTS = {"workflow page": (104, BUDGET), "inventory list": (34, 2)}
# The findings of each lazily loading page: child, parent, direction, repeats.
EXPECTED_FINDINGS = {
    "workflow page": [
        ("edges.source_node_id", "nodes.id", "1:N", 90),
        ("nodes.workflow_id", "workflows.id", "1:N", 10),
    ],
    "inventory list": [
        ("stocks.product_id", "products.id", "1:N", 25),
        ("stores.id", "stocks.store_id", "N:1", 8),
    ],
}


class Run(NamedTuple):
    """What one way of loading came to."""

    bodies: dict
    statements: dict
    findings: list
    within_budget: bool
    times_ms: dict


def connect():
    """The libpq environment says where; a new engine means fresh connections."""
    return create_engine("postgresql+psycopg2://", future=True, connect_args={"application_name": "agents"})


def heading(title):
    print(f"\n== {title}\n")


def psql(script):
    sys.stdout.flush()  # Two programs write to one output.
    subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", HERE / script], check=True)


def write_page(session, page, loading):
    if page == "workflow page":
        return pages.workflow_page(session, 1, 1, loading[page])
    return pages.inventory_list(session, loading[page])


def render(engine, page, loading):
    """One request: one session, which opens its transaction itself and closes it with a rollback."""
    with Session(engine, future=True) as session:
        started = time.perf_counter()
        body = write_page(session, page, loading)
        elapsed_ms = (time.perf_counter() - started) * 1000
        statements = session.scalar(text("SELECT remedy.transaction_statements()"))
    return body, statements, elapsed_ms


def render_each_once(loading):
    """Each page once, on a connection that has never seen it: pg_remedy needs no more."""
    bodies, statements = {}, {}
    for page in loading:
        engine = connect()
        body, statements[page], _ = render(engine, page, loading)
        bodies[page] = body
        engine.dispose()
        print(f"{page}: {statements[page]} statements in its transaction, {len(body.splitlines())} lines of text")
    return bodies, statements


def median_times_ms(loading):
    engine = connect()
    medians = {}
    for page in loading:
        render(engine, page, loading)  # Warms the caches of both sides.
        medians[page] = statistics.median(render(engine, page, loading)[2] for _ in range(RENDERINGS))
    engine.dispose()
    return medians


def recorded_findings(engine):
    """What pg_remedy holds against the application, in the terms of EXPECTED_FINDINGS."""
    query = (
        "SELECT child_table || '.' || child_column, parent_table || '.' || parent_column, direction, repeats_max"
        " FROM remedy.n_plus_one"
    )
    with engine.connect() as connection:
        rows = connection.execute(text(query)).all()
    return sorted((unqualified(child), unqualified(parent), *figures) for child, parent, *figures in rows)


def unqualified(column):
    return column.replace("public.", "")


def keeps_budget(engine, loading):
    """The test that a regression suite writes around a page: two lines."""
    print(f"As a test: remedy.watch(); the workflow page; remedy.assert_statements({BUDGET})")
    with Session(engine, future=True) as session:
        session.execute(text("SELECT remedy.watch()"))
        write_page(session, "workflow page", loading)
        try:
            session.execute(text(f"SELECT remedy.assert_statements({BUDGET})"))
        except DBAPIError as error:
            print("\n".join(f"  {line[:116]}" for line in str(error.orig).strip().splitlines()))
            return False
    print("  passes")
    return True


def run(engine, loading):
    bodies, statements = render_each_once(loading)
    findings = recorded_findings(engine)
    print(f"\nSELECT ... FROM remedy.n_plus_one gives {len(findings)} rows.\n")
    if findings:
        psql("findings.sql")
    return Run(bodies, statements, findings, keeps_budget(engine, loading), median_times_ms(loading))


def print_mending():
    """The lines of pages.py that make the difference."""
    source = Path(pages.__file__).read_text(encoding="utf-8")
    print("\n".join(line for line in source.splitlines() if "_LOADING = " in line) + "\n")


def print_table(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    for number, (name, *cells) in enumerate(rows):
        print(" " + " | ".join([name.ljust(widths[0]), *(c.rjust(w) for c, w in zip(cells, widths[1:]))]))
        if number == 0:
            print("-" + "-+-".join("-" * width for width in widths))


def summary(runs):
    rows = [("page", "statements before", "after", "ms before", "after", "findings before", "after")]
    for page, expected in EXPECTED_FINDINGS.items():
        statements = [str(run.statements[page]) for run in runs]
        times = [f"{run.times_ms[page]:.1f}" for run in runs]
        findings = [str(sum(finding in expected for finding in run.findings)) for run in runs]
        rows.append((page, *statements, *times, *findings))
    return rows


def problems(before, after):
    """The demo vouches for its own numbers."""
    for page, expected in EXPECTED_STATEMENTS.items():
        if (before.statements[page], after.statements[page]) != expected:
            yield f"{page}: {before.statements[page]} and {after.statements[page]} statements, expected {expected}"
    if before.findings != sorted(sum(EXPECTED_FINDINGS.values(), [])):
        yield f"unexpected findings, or too few, of the lazily loading pages: {before.findings}"
    if after.findings:
        yield f"findings of the mended pages: {after.findings}"
    if before.bodies != after.bodies:
        yield "the mended pages read differently"
    if (before.within_budget, after.within_budget) != (False, True):
        yield f"the budget was kept: {before.within_budget} before, {after.within_budget} after"


def main():
    engine = connect()
    heading(f"An application: SQLAlchemy {sqlalchemy.__version__}, {len(Base.metadata.tables)} tables, two pages")
    print("tables:", ", ".join(sorted(Base.metadata.tables)))
    Base.metadata.create_all(engine)
    with Session(engine, future=True) as session:
        session.add_all(sample_data())
        session.commit()

    heading("Both pages loading lazily, each rendered once")
    before = run(engine, LAZY)

    heading("The same pages with selectinload and joinedload")
    print_mending()
    with engine.begin() as connection:
        connection.execute(text("SELECT remedy.reset()"))
    after = run(engine, MENDED)

    heading(f"Before and after (time: median of {RENDERINGS} renderings)")
    print_table(summary((before, after)))

    heading(f"The json column {documents.TABLE}.{documents.COLUMN} becomes jsonb while the application goes on")
    found = [*problems(before, after), *documents.chapter(engine, psql, print_table)]

    heading("A dashboard over a million executions, before and after a rollup")
    found += dashboard.chapter(psql, print_table)
    engine.dispose()

    print("\n" + "\n".join(found or ["Every number is as expected."]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
