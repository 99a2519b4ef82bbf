"""json → jsonb under load, by plain ALTER TABLE and by remedy.migrate_json; see ../json-migration."""
import argparse
import os
import subprocess
import sys
import time

import psycopg

from documents import Documents
from watching import HERE, Clients, Watch, quantile

MB = 1e6
METHODS = ["idle", "alter", "migrate", "dependents"]


def script(name):
    return open(os.path.join(HERE, name)).read()



def psql(database, name, user="app"):
    subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", user, "-d", database, "-o", "/dev/null", "-f",
                    os.path.join(HERE, name)], check=True)


def build(rows):
    """The database of which each run has a copy."""
    with psycopg.connect(dbname="postgres", autocommit=True) as admin:
        admin.execute("CREATE ROLE app LOGIN")
        admin.execute("CREATE DATABASE template OWNER app")
    psql("postgres", "watch_locks.sql", "postgres")
    with psycopg.connect(dbname="template", autocommit=True) as admin:
        admin.execute("CREATE EXTENSION pg_remedy")
    psql("template", "tables.sql")
    with psycopg.connect(dbname="template", user="app") as connection:
        with connection.cursor().copy("COPY documents (id, kind, created, doc) FROM STDIN") as copy:
            for number, (kind, text) in zip(range(1, rows + 1), Documents(1, rows // 10)):
                copy.write_row((number, kind, "2026-%02d-%02d" % (1 + number % 12, 1 + number % 28), text))
        with connection.cursor().copy("COPY drafts FROM STDIN") as copy:
            for number, (kind, text) in zip(range(1, 1001), Documents(2, rows // 10)):
                copy.write_row((number, kind, text))
    psql("template", "indexes.sql")


def fresh_copy(method):
    with psycopg.connect(dbname="postgres", autocommit=True) as admin:
        admin.execute("CREATE DATABASE run TEMPLATE template STRATEGY file_copy OWNER app")
    if method == "dependents":
        psql("run", "dependents.sql")
    with psycopg.connect(dbname="run", autocommit=True) as connection:
        connection.execute("SELECT count(doc::text) FROM documents")
        connection.execute("CHECKPOINT")


def foretell(method):
    """Seconds, WAL and disk in MB, as plan_json_migration has them."""
    with psycopg.connect(dbname="run", user="app", autocommit=True) as connection:
        milliseconds, wal, disk = connection.execute("""
            SELECT duration_ms, wal_bytes, disk_bytes FROM remedy.plan_json_migration('documents', 'doc')
            WHERE phase = %s AND duration_ms IS NOT NULL""", ["instead" if method == "alter" else "plan"]).fetchone()
    return milliseconds / 1000, wal / MB, disk / MB


def act(method, seconds):
    """Does it, and tells how long it took in all; after a migration the old column is dropped."""
    with psycopg.connect(dbname="run", user="app", autocommit=True) as connection:
        began = time.time()
        connection.add_notice_handler(
            lambda notice: print("  %6.1f s  %s" % (time.time() - began, notice.message_primary), flush=True))
        if method == "idle":
            time.sleep(seconds)
        elif method == "alter":
            connection.execute("ALTER TABLE documents ALTER doc TYPE jsonb")
        else:
            connection.execute("CALL remedy.migrate_json('documents', 'doc')")
            connection.execute("CALL remedy.finish_json_migration('documents', 'doc')")
        return time.time() - began


def verify(method):
    with psycopg.connect(dbname="run", user="app") as connection:
        rows, lost, too_many, wrong, jsonb = connection.execute(script("verify.sql")).fetchone()
    if lost or too_many or wrong or jsonb == (method == "idle"):
        raise SystemExit("%s: of %d rows %d are lost, %d too many, %d wrong; jsonb: %s" %
                         (method, rows, lost, too_many, wrong, jsonb))
    return rows


def repacked():
    with psycopg.connect(dbname="run", autocommit=True) as connection:
        connection.execute("VACUUM FULL documents")
        return connection.execute("SELECT pg_table_size('documents')").fetchone()[0]


def run(method, options, folder):
    print(method, flush=True)
    fresh_copy(method)
    readers = Clients("run", folder, method + "_read", options.reads, 8, options.rows, {"read_one": 7, "read_user": 3})
    writers = Clients("run", folder, method + "_write", options.writes, 8, options.rows,
                      {"rewrite": 11, "touch": 5, "add": 3, "remove": 1})
    time.sleep(3)
    foretold = foretell(method)
    with Watch("run") as watch:
        taken = act(method, options.seconds)
    time.sleep(2)
    for clients in (readers, writers):
        clients.stop()
    rows = verify(method)
    result = {"seconds": taken, "MB of WAL": watch.wal_bytes / MB, "rows": rows}
    for name, clients in (("readers", readers), ("writers", writers)):
        times, failed = clients.times(watch.began, watch.ended)
        if failed:
            raise SystemExit("%s: %d statements failed" % (method, failed))
        result[name + ", statements"] = len(times)
        result[name + ", p99 ms"] = quantile(times, 0.99)
        result[name + ", longest ms"] = times[-1]
        result[name + ", over 250 ms"] = sum(ms > 250 for ms in times)
    result["ACCESS EXCLUSIVE, times"] = len(watch.held)
    result["ACCESS EXCLUSIVE, longest ms"] = max(watch.held, default=0)
    result["table before, MB"] = watch.table_before / MB
    # A rewrite has the old and the new table at its end.
    result["table at the peak, MB"] = (watch.table_before + watch.table_after if method == "alter" else
                                       watch.table_peak) / MB
    result["table after, MB"] = watch.table_after / MB
    result["database at the peak, MB more"] = (watch.total_peak - watch.total_before) / MB
    result["database after, MB more"] = (watch.total_after - watch.total_before) / MB
    if method != "idle":
        came = taken, watch.wal_bytes / MB, result["database at the peak, MB more"]
        for name, estimate, value in zip(("seconds", "MB of WAL", "MB of disk"), foretold, came):
            result["foretold " + name] = estimate
            result["foretold " + name + ", of what came"] = estimate / value
    if method in ("migrate", "dependents"):
        result["table repacked, MB"] = repacked() / MB
    with psycopg.connect(dbname="postgres", autocommit=True) as admin:
        admin.execute("DROP DATABASE run")
    return result


def show(results):
    methods = list(results)
    names = list(dict.fromkeys(name for result in results.values() for name in result))
    print("\n| | " + " | ".join(methods) + " |\n|---|" + "---:|" * len(methods))
    for name in names:
        values = [results[method].get(name) for method in methods]
        print("| %s | %s |" % (name, " | ".join("" if value is None else format(value, ",.0f" if value >= 100 or
                               isinstance(value, int) else ",.1f" if value >= 10 else ",.2f") for value in values)))


def judge(results):
    """The goals, each as it came out."""
    alter = results.get("alter")
    for method in ("migrate", "dependents"):
        if method not in results:
            continue
        result = results[method]
        goals = [("longest stall, ms", max(result["readers, longest ms"], result["writers, longest ms"]), 250),
                 ("longest ACCESS EXCLUSIVE, ms", result["ACCESS EXCLUSIVE, longest ms"], 100),
                 ("table at the peak, of the table before",
                  result["table at the peak, MB"] / result["table before, MB"], 2.4)]
        if alter:
            goals += [("time, of plain ALTER", result["seconds"] / alter["seconds"], 3),
                      ("WAL, of plain ALTER", result["MB of WAL"] / alter["MB of WAL"], 3)]
        for name, value, limit in goals:
            print("%s: %s: %.2f, goal %g: %s" % (method, name, value, limit, "met" if value <= limit else "MISSED"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--rows", type=int, default=int(os.environ.get("ROWS", 1000000)))
    parser.add_argument("--methods", default=",".join(METHODS[:]), help="of " + ",".join(METHODS))
    parser.add_argument("--reads", type=int, default=150, help="a second")
    parser.add_argument("--writes", type=int, default=80, help="a second")
    parser.add_argument("--seconds", type=int, default=30, help="of the idle run")
    options = parser.parse_args()
    began = time.time()
    build(options.rows)
    print("%d rows built in %.0f s" % (options.rows, time.time() - began), flush=True)
    results = {}
    for method in options.methods.split(","):
        results[method] = run(method, options, options.folder)
    show(results)
    judge(results)


if __name__ == "__main__":
    sys.exit(main())
