"""What clients, the disk and the lock table say while something is done to the database."""
import collections
import glob
import os
import signal
import subprocess
import threading
import time

import psycopg

HERE = os.path.dirname(os.path.abspath(__file__))


class Clients:
    """Sessions of pgbench that send so many statements a second, whatever else happens.

    A statement's time counts from when it was due, so that those behind a stall count as well.
    """

    def __init__(self, database, folder, name, rate, sessions, rows, scripts):
        self.prefix = os.path.join(folder, "%s_%s" % (database, name))
        command = ["pgbench", "-n", "-M", "extended", "-R", str(rate), "-c", str(sessions), "-T", "100000", "-U", "app",
                   "-D", "rows=%d" % rows, "-l", "--log-prefix", self.prefix]
        for script, weight in scripts.items():
            command += ["-f", "%s/load/%s.sql@%d" % (HERE, script, weight)]
        self.errors = open(self.prefix + ".err", "w+")
        self.process = subprocess.Popen(command + [database], stdout=subprocess.DEVNULL, stderr=self.errors)

    def stop(self):
        self.process.send_signal(signal.SIGALRM)  # the end of pgbench's time
        self.process.wait(60)
        self.errors.seek(0)
        complaints = [line for line in self.errors if "error" in line or "abort" in line]
        if self.process.returncode != 0 or complaints:
            raise SystemExit("clients failed: " + "".join(complaints))

    def times(self, began, ended):
        """Milliseconds of the statements that ran in this stretch of time, or were due."""
        times, failed = [], 0
        for name in glob.glob(self.prefix + ".[0-9]*"):
            for line in open(name):
                _, _, taken, _, seconds, microseconds = line.split()[:6]
                if not taken.isdigit():
                    failed += 1
                    continue
                end = int(seconds) + int(microseconds) / 1e6
                if end >= began and end - int(taken) / 1e6 <= ended:
                    times.append(int(taken) / 1000)
        return sorted(times), failed


def quantile(values, fraction):
    return values[int(fraction * (len(values) - 1))] if values else float("nan")


class Watch:
    """Within it, each fifth of a second, the size of the database's files; and who holds ACCESS EXCLUSIVE on the table."""

    def __init__(self, database):
        self.connection = psycopg.connect(dbname=database, autocommit=True)
        self.folder, self.heap, self.toast, self.oid, self.database = self.connection.execute("""
            SELECT current_setting('data_directory'), pg_relation_filenode(c.oid), pg_relation_filenode(reltoastrelid),
                c.oid, d.oid
            FROM pg_class AS c, pg_database AS d
            WHERE c.oid = 'documents'::regclass AND d.datname = current_database()""").fetchone()
        self.locks = psycopg.connect(dbname="postgres", autocommit=True)
        self.locks.execute("TRUNCATE held")

    def sizes(self):
        """Of the table's present files, and of all of the database."""
        table = total = 0
        for folder in ("base/%d" % self.database, "base/pgsql_tmp"):
            try:
                for entry in os.scandir(os.path.join(self.folder, folder)):
                    try:
                        size = entry.stat().st_size
                    except FileNotFoundError:
                        continue
                    total += size
                    if entry.name.split(".")[0].split("_")[0] in (str(self.heap), str(self.toast)):
                        table += size
            except FileNotFoundError:
                pass
        return table, total

    def table_bytes(self):
        return self.connection.execute("SELECT pg_table_size('documents')").fetchone()[0]

    def wal(self):
        return self.connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'").fetchone()[0]

    def __enter__(self):
        self.table_before, self.total_before = self.sizes()
        self.table_peak, self.total_peak = self.table_before, self.total_before
        self.wal_before, self.began = self.wal(), time.time()
        self.ended = None
        self.threads = [threading.Thread(target=self.watch_sizes), threading.Thread(target=self.watch_locks)]
        for thread in self.threads:
            thread.start()
        return self

    def watch_sizes(self):
        while self.ended is None:
            table, total = self.sizes()
            self.table_peak, self.total_peak = max(self.table_peak, table), max(self.total_peak, total)
            time.sleep(0.2)

    def watch_locks(self):
        try:
            self.locks.execute("CALL watch_locks(%d, %d)" % (self.database, self.oid))
        except psycopg.errors.QueryCanceled:
            pass

    def __exit__(self, *_):
        self.ended = time.time()
        self.wal_bytes = int(self.wal() - self.wal_before)
        time.sleep(0.1)
        self.locks.cancel()
        for thread in self.threads:
            thread.join()
        self.held = [ms for ms, in self.locks.execute("SELECT ms FROM held ORDER BY began")]
        self.table_after, self.total_after = self.table_bytes(), self.sizes()[1]
        self.connection.close()
        self.locks.close()
