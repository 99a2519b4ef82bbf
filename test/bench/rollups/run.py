"""What rollups cost and give; see ../rollup."""
import argparse
import os
import subprocess
import sys
import time

import refreshes
import sketches
import writers
from common import HERE, connect

PARTS = ["writers", "refresh", "dashboard", "sketches"]


def main():
    parser = argparse.ArgumentParser(prog="test/bench/rollup")
    parser.add_argument("--rows", type=int, default=int(os.environ.get("ROWS", 5_000_000)), help="of the table (or ROWS=)")
    parser.add_argument("--batch", type=int, default=100_000, help="rows of one INSERT")
    parser.add_argument("--rounds", type=int, default=9, help="of writers")
    parser.add_argument("--seconds", type=int, default=2, help="that single rows are written in a round")
    parser.add_argument("--refreshes", type=int, default=3, help="rounds of refreshes")
    parser.add_argument("--parts", default=",".join(PARTS), help="of " + ",".join(PARTS))
    options = parser.parse_args()
    parts = options.parts.split(",")
    start = time.time()

    with connect() as connection:
        connection.execute("CREATE EXTENSION pg_remedy")
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", f"rows={options.rows}", "-v", f"batch={options.batch}",
                        "-o", os.devnull, "-f", os.path.join(HERE, "tables.sql")], check=True)
        version, size = connection.execute(
            "SELECT current_setting('server_version'), pg_size_pretty(pg_total_relation_size('executions'))").fetchone()
        print(f"PostgreSQL {version}, {options.rows:,} rows, {size}; filled in {time.time() - start:.0f} s\n")
        wrong = 0
        if "writers" in parts:
            wrong += writers.measure(connection, options.batch, options.rounds, options.seconds)
            print()
        if "refresh" in parts or "dashboard" in parts:
            wrong += refreshes.measure(connection, options.rows, options.refreshes)
            print()
        if "dashboard" in parts:
            wrong += refreshes.dashboards(connection)
            print()
        if "sketches" in parts:
            sketches.measure(connection, max(options.rows // 10, 20_100 * 3))
        print(f"\n{wrong} wrong cells; {time.time() - start:.0f} s")
    sys.exit(wrong != 0)


main()
