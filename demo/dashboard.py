"""The chapter of the dashboard: a million executions by day, user, agent and workflow, before and after a rollup."""

import statistics
import time

import psycopg2

from documents import alone

ZONE, DAYS = "Europe/Berlin", 30
RENDERINGS = 3  # The table shows their median time; the raw query takes long.
# A month with the day of 23 hours in it.
IMPORT = f"""
    INSERT INTO executions (workflow_id, started_at, state, duration_ms)
    SELECT 1 + (i * 7919::bigint) % 60, '2026-03-05'::timestamp AT TIME ZONE '{ZONE}' + i * interval '{DAYS} days' / 1000000,
        CASE WHEN i % 97 = 0 THEN 'failed' ELSE 'done' END, 200 + (i * 31337::bigint) % 5000
    FROM generate_series(0, 999999) AS i
"""
# The foreign key would be looked at a million times.
LOAD = (
    "ALTER TABLE executions DROP CONSTRAINT executions_workflow_id_fkey",
    IMPORT,
    "ALTER TABLE executions ADD FOREIGN KEY (workflow_id) REFERENCES workflows",
    "VACUUM ANALYZE executions",
)
CREATE = f"""
SELECT remedy.create_rollup('daily_executions', 'executions', 'started_at', 'day', '{{workflow_id}}',
    '{{count(*) AS executions, sum(duration_ms) AS total_ms, avg(duration_ms) AS mean_ms,
       count(*) FILTER (WHERE state = ''failed'') AS failed}}', '{ZONE}')"""
REFRESH = "CALL remedy.refresh_rollup('daily_executions')"
NAMES = "JOIN workflows AS w ON w.id = e.workflow_id JOIN agents AS a ON a.id = w.agent_id JOIN users AS u ON u.id = a.user_id"
PERIOD = f"'2026-03-05'::timestamp AT TIME ZONE '{ZONE}'"
# Means come from counts and sums: a mean of means would be wrong. Names are looked up when they are shown.
RAW = "count(*), round(avg(e.duration_ms), 3)", f"date_trunc('day', e.started_at, '{ZONE}')", "executions", "started_at"
KEPT = "sum(e.executions), round(sum(e.total_ms) / sum(e.executions), 3)", "e.bucket", "daily_executions", "bucket"
PAGES = {"by user and agent": "u.name, a.name", "by workflow": "e.workflow_id, w.name"}
LATE = {
    "INSERT": """INSERT INTO executions (workflow_id, started_at, state, duration_ms)
        SELECT 1 + i % 60, '2026-03-29 00:00+01'::timestamptz + i * interval '1 minute', 'done', 777
        FROM generate_series(0, 499) AS i""",
    "UPDATE": "UPDATE executions SET duration_ms = duration_ms + 1000 WHERE id % 9973 = 5",
    "DELETE": "DELETE FROM executions WHERE workflow_id = 7 AND started_at >= '2026-03-20' AND started_at < '2026-03-20 02:00'",
}


def query(page, source, relation=None):
    """The page's query, over executions or over a rollup."""
    measures, day, table, time_column = source
    return (f"SELECT {day} AS day, {PAGES[page]}, {measures} FROM {relation or table} AS e {NAMES}"
            f" WHERE e.{time_column} >= {PERIOD} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")  # fmt: skip


def timed(statement, times=1):
    """A statement outside of transactions: its rows, or their number, and the median of its times in ms."""
    connection = psycopg2.connect("")
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(f"SET TimeZone = '{ZONE}'")
    times_ms = []
    for _ in range(times):
        started = time.perf_counter()
        cursor.execute(statement)
        result = cursor.fetchall() if cursor.description else cursor.rowcount
        times_ms.append((time.perf_counter() - started) * 1000)
    connection.close()
    return result, statistics.median(times_ms)


def render(page, source, relation=None, times=RENDERINGS):
    rows, median_ms = timed(query(page, source, relation), times)
    return rows, f"{median_ms:.1f}"


def show_first(page, rows):
    day, *cells = rows[0]
    print(f"{page}: {len(rows)} rows, the first {day:%Y-%m-%d}, {', '.join(map(str, cells))}")


def change_the_past():
    for command, statement in LATE.items():
        count, elapsed = timed(statement)
        print(f"{command} of {count} rows: {elapsed:.0f} ms")


def chapter(psql, print_table):
    """Prints it, and returns what is not as expected."""
    problems = []
    for statement in LOAD:
        alone(statement)
    raw = {page: render(page, RAW) for page in PAGES}

    print(CREATE.strip() + ";")
    _, created_ms = timed(CREATE)
    _, filled_ms = timed(REFRESH)
    print(f"{REFRESH};\n  {created_ms:.0f} ms to create, {filled_ms:.0f} ms to fill\n")
    alone("VACUUM ANALYZE daily_executions_cells")
    kept = {page: render(page, KEPT, times=9) for page in PAGES}
    for page in PAGES:
        show_first(page, kept[page][0])
        if kept[page][0] != raw[page][0]:
            problems.append(f"the rollup gives another answer {page}")

    print("\nThe past changes: executions that were reported late, corrected, withdrawn.\n")
    change_the_past()
    then = {page: render(page, RAW, times=1)[0] for page in PAGES}
    now = {page: render(page, KEPT, "daily_executions_now") for page in PAGES}
    stale = [page for page in PAGES if render(page, KEPT, times=1)[0] != then[page]]
    _, refreshed_ms = timed(REFRESH)
    print(f"{REFRESH}: {refreshed_ms:.0f} ms\n")
    psql("dashboard.sql")
    again = {page: render(page, KEPT, times=9) for page in PAGES}
    for page in PAGES:
        if now[page][0] != then[page]:
            problems.append(f"daily_executions_now gives another answer {page}")
        if again[page][0] != then[page]:
            problems.append(f"the refreshed rollup gives another answer {page}")
    if len(stale) != len(PAGES):
        problems.append("the rollup changed before it was refreshed")

    print_table([("dashboard, 30 days", "ms raw", "rollup", "exact, before the refresh", "after it"),
                 *((page, raw[page][1], kept[page][1], now[page][1], again[page][1]) for page in PAGES)])  # fmt: skip
    if not problems:
        print("\nAll of them gave the answer that the raw query gives at that time.")
    wrong, _ = alone("SELECT count(*) FROM remedy.verify_rollup('daily_executions')")
    if wrong != [(0,)]:
        problems.append(f"verify_rollup() found {wrong} wrong cells")
    return problems
