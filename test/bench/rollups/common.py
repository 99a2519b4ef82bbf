"""What the parts of ../rollup share: the connection, times, and comparing cells."""
import os
import statistics
import time

import psycopg

HERE = os.path.dirname(os.path.abspath(__file__))
MEASURES = ["count(*)", "sum(duration_ms)", "avg(cost)", "min(duration_ms)", "max(duration_ms)"]
COLUMNS = "count, sum_duration_ms, avg_cost, min_duration_ms, max_duration_ms"
PLAIN = f"SELECT date_trunc('day', started_at, 'UTC') AS bucket, agent, {', '.join(MEASURES)} FROM {{}} GROUP BY 1, 2"


def connect():
    return psycopg.connect(autocommit=True)


def create_rollup(connection, name, source, keys, measures):
    connection.execute("SELECT remedy.create_rollup(%s, %s, 'started_at', 'day', %s, %s, 'UTC')", (name, source, keys, measures))


def timed(connection, statement):
    """Milliseconds, seen by the client."""
    start = time.perf_counter()
    connection.execute(statement)
    return (time.perf_counter() - start) * 1000


def median_of(connection, statement, times):
    connection.execute(statement)
    return statistics.median(timed(connection, statement) for _ in range(times))


def wrong_cells(connection, view, source):
    """Groups that are not in both, or not the same in both."""
    plain = PLAIN.format(source)
    return connection.execute(f"""
        WITH plain AS MATERIALIZED ({plain}), kept AS MATERIALIZED (SELECT bucket, agent, {COLUMNS} FROM {view})
        SELECT count(*) FROM ((TABLE plain EXCEPT ALL TABLE kept) UNION ALL (TABLE kept EXCEPT ALL TABLE plain)) AS wrong
    """).fetchone()[0]


def spread(values, digits=0):
    """Median and range."""
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f}-{max(values):,.{digits}f})"
