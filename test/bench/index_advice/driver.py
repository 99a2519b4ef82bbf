"""Sends a workload, and tells what it took.

Time is what the backend spent on a processor (where Linux tells, else the clock's): of each statement the median of its
calls, less that of an empty statement, times the calls. Blocks are those of shared memory that pg_stat_statements counted,
hit or read: they do not depend on what else the machine does, and time does so less than the clock's.
"""

import collections
import os
import re
import statistics
import time

import psycopg

Figures = collections.namedtuple("Figures", "calls milliseconds blocks")  # of one statement, over all calls
FAILED = (psycopg.pq.ExecStatus.FATAL_ERROR, psycopg.pq.ExecStatus.BAD_RESPONSE)


def connect(database, settings=()):
    connection = psycopg.connect(dbname=database, autocommit=True)
    for setting in settings:
        connection.execute("SET " + setting)
    return connection


def named(statement):
    """With its name as a comment, as frameworks send it, by which pg_stat_statements' rows are told apart."""
    return "/* %s */ %s" % (statement.name, statement.sql)


def as_text(value):
    return "{%s}" % ",".join(map(str, value)) if isinstance(value, list) else str(value)


def literally(sql, values):
    def quoted(value):
        return str(value) if isinstance(value, int) else "'%s'" % as_text(value).replace("'", "''")
    return re.sub(r"\$(\d+)", lambda match: quoted(values[int(match[1]) - 1]), sql)


def check(result, what):
    if result.status in FAILED:
        raise RuntimeError("%s: %s" % (what, result.error_message.decode()))


def clock(pid):
    """A function that tells seconds: of the process on a processor, which is exact when it sleeps."""
    try:
        file = os.open("/proc/%d/schedstat" % pid, os.O_RDONLY)
        return lambda: int(os.pread(file, 64, 0).split()[0]) / 1e9
    except OSError:
        return time.perf_counter


def send(database, calls, literals, settings=()):
    """Runs the calls in one session; returns name -> the seconds of its calls."""
    seconds = collections.defaultdict(list)
    with connect(database, settings) as connection:
        client = connection.pgconn
        prepared = set()
        now = clock(client.backend_pid)
        check(client.prepare(b"empty", b"SELECT"), "empty")
        for statement, values in calls:
            name = statement.name.encode()
            if literals or not values:
                text = literally(named(statement), values).encode()
                start = now()
                result = client.exec_(text)
            else:
                if name not in prepared:
                    check(client.prepare(name, named(statement).encode()), statement.name)
                    prepared.add(name)
                texts = [as_text(value).encode() for value in values]
                start = now()
                result = client.exec_prepared(name, texts)
            seconds[statement.name].append(now() - start)
            check(result, statement.name)
        for i in range(300):
            start = now()
            client.exec_prepared(b"empty", [])
            seconds[""].append(now() - start)
    return seconds


def measure(database, calls, literals):
    """Runs the calls; returns name -> Figures, and the share of updates that were HOT."""
    with connect("postgres") as counters:
        oid = counters.execute("SELECT oid FROM pg_database WHERE datname = %s", [database]).fetchone()[0]
        counters.execute("SELECT pg_stat_statements_reset(0, %s, 0)", [oid])
        before = updates(database)
        seconds = send(database, calls, literals)
        after = updates(database)
        blocks = collections.Counter()
        for text, count in counters.execute("""SELECT query, shared_blks_hit + shared_blks_read FROM pg_stat_statements
                WHERE dbid = %s AND query LIKE '/* %%'""", [oid]).fetchall():
            blocks[text.split()[1]] += count
    empty = statistics.median(seconds.pop(""))
    figures = {name: Figures(len(times), 1e3 * max(0, statistics.median(times) - empty) * len(times), int(blocks[name]))
               for name, times in seconds.items()}
    all_updates, hot = (after[k] - before[k] for k in range(2))
    return figures, hot / all_updates if all_updates else None


def updates(database):
    with connect(database) as connection:
        return tuple(map(int, connection.execute("SELECT sum(n_tup_upd), sum(n_tup_hot_upd) FROM pg_stat_user_tables").fetchone()))
