"""Build and refresh of a rollup, beside a materialized view."""
from common import MEASURES, PLAIN, create_rollup, median_of, spread, timed, wrong_cells

NEWEST = "WHERE id IN (SELECT id FROM executions WHERE started_at >= '2026-05-30' ORDER BY random() LIMIT {half})"
CHANGES = {
    "0.1 % new in the newest day": [
        "INSERT INTO executions OVERRIDING USER VALUE SELECT * FROM some_executions({changed}, '2026-05-30', '1 day')"],
    "0.1 % updated and deleted in the newest day": [
        "UPDATE executions SET duration_ms = duration_ms + 1 " + NEWEST, "DELETE FROM executions " + NEWEST],
    "0.1 % updated, scattered": [
        "UPDATE executions SET duration_ms = duration_ms + (random() * 9 - 4)::integer, cost = cost + 0.01 WHERE id IN (SELECT 1 + (random() * {rows})::bigint FROM generate_series(1, {changed}))"],
}
GOALS = ["30", "30", "700; rebuild * 1.1"]


def build(connection, rounds):
    plain = PLAIN.format("executions")
    view = [timed(connection, f"CREATE MATERIALIZED VIEW daily_view AS {plain}")]
    connection.execute("CREATE UNIQUE INDEX ON daily_view (bucket, agent)")
    create_rollup(connection, "daily", "executions", ["agent"], MEASURES)
    kept = [timed(connection, "CALL remedy.refresh_rollup('daily')")]
    rebuilt = []
    for _ in range(rounds):
        view.append(timed(connection, "REFRESH MATERIALIZED VIEW daily_view"))
        rebuilt.append(timed(connection, "SELECT remedy.rebuild_rollup('daily')"))
    connection.execute("VACUUM ANALYZE daily_cells, daily_marks")
    print(f"| full build | {kept[0]:,.0f} | {spread(rebuilt)} | {spread(view)} | | | 2,000 |", flush=True)


def refresh(connection, rows, rounds, title):
    times = {"rollup": [], "rebuild": [], "view": [], "concurrently": [], "now": []}
    wrong = 0
    changed = max(rows // 1000, 4)
    for _ in range(rounds):
        for change in CHANGES[title]:
            connection.execute(change.format(rows=rows, changed=changed, half=changed // 2))
        times["concurrently"].append(timed(connection, "REFRESH MATERIALIZED VIEW CONCURRENTLY daily_view"))
        times["view"].append(timed(connection, "REFRESH MATERIALIZED VIEW daily_view"))
        times["now"].append(median_of(connection, "SELECT bucket, sum(count) FROM daily_now GROUP BY bucket", 5))
        wrong += wrong_cells(connection, "daily_now", "executions")
        times["rollup"].append(timed(connection, "CALL remedy.refresh_rollup('daily')"))
        method = connection.execute("SELECT refresh_method FROM remedy.rollups WHERE name::text = 'daily'").fetchone()[0]
        wrong += wrong_cells(connection, "daily", "executions")
        times["rebuild"].append(timed(connection, "SELECT remedy.rebuild_rollup('daily')"))
        connection.execute("VACUUM daily_cells, daily_marks")
    print(f"| {title} ({method}) | {spread(times['rollup'], 1)} | {spread(times['rebuild'])} | {spread(times['view'])} | "
          f"{spread(times['concurrently'])} | {spread(times['now'], 1)} | {GOALS[list(CHANGES).index(title)]} |", flush=True)
    return wrong


def measure(connection, rows, rounds):
    print("| refresh, ms | rollup | its rebuild | REFRESH | CONCURRENTLY | a dashboard over daily_now before | goal |\n"
          "|---|---:|---:|---:|---:|---:|---:|")
    build(connection, rounds)
    return sum(refresh(connection, rows, rounds, title) for title in CHANGES) + shares(connection, rounds)


FLOATS = ["count(*)", "sum(cost::double precision) AS total", "avg(duration_ms::double precision) AS mean"]
SHARES = {"scattered": [0.01, 0.1, 1, 10, 100], "newest day": [0.01, 0.1, 0.6]}  # of the rows, in %
UPDATE = "UPDATE executions SET cost = cost + 0.01, duration_ms = duration_ms + (random() * 9 - 4)::integer WHERE random() < {}"
CHANGE = {"scattered": UPDATE, "newest day": UPDATE + " * 150 AND started_at >= '2026-05-30'"}


def refreshed_beside_rebuild(connection, name, turn):
    """Of two rollups that are alike one is refreshed, the other one rebuilt; they take turns in being the first to read what was written."""
    ms = {}
    for what in ["refresh", "rebuild"][::-1 if turn % 2 else 1]:
        of = {"refresh": name, "rebuild": name + "_too"}[what]
        connection.execute(f"VACUUM {of}_cells, {of}_marks")
        ms[what] = timed(connection, f"{'CALL' if what == 'refresh' else 'SELECT'} remedy.{what}_rollup('{of}')")
    done = connection.execute("SELECT refresh_method, refresh_cells FROM remedy.rollups WHERE name::text = %s", (name,)).fetchone()
    return ms["refresh"], *done, ms["rebuild"]


def shares(connection, rounds):
    """Of one that deltas are added to, and of one whose cells are computed anew, since its sums are of floating-point values."""
    print("\n| updated | rollup | method | cells | refresh, ms | rebuild, ms | refresh / rebuild | goal |\n|---|---|---|---:|---:|---:|---:|---:|")
    for name, measures in {"daily_too": MEASURES, "floats": FLOATS, "floats_too": FLOATS}.items():
        create_rollup(connection, name, "executions", ["agent"], measures)
        connection.execute(f"CALL remedy.refresh_rollup('{name}')")
    for where, share in [(where, share) for where in SHARES for share in SHARES[where]]:
        done = {"daily": [], "floats": []}
        for turn in range(rounds):
            connection.execute(CHANGE[where].format(share / 100))
            connection.execute("SELECT count(*) FROM executions")  # whoever reads rows first after an update notes that it is committed
            connection.execute("CHECKPOINT")  # and has to write pages, to have room for others
            for name in done:
                done[name].append(refreshed_beside_rebuild(connection, name, turn))
        for name, rounds_done in done.items():
            refreshed, methods, cells, rebuilt = zip(*rounds_done)
            ratios = [one / other for one, other in zip(refreshed, rebuilt)]
            print(f"| {share} % {where} | {name} | {methods[-1]} | {cells[-1]:,} | {spread(refreshed, 1)} | {spread(rebuilt)} | {spread(ratios, 2)} | 1.1 |", flush=True)
    wrong = sum(connection.execute(f"SELECT count(*) FROM remedy.verify_rollup('{name}')").fetchone()[0] for name in ("daily", "floats"))
    for name in "daily_too", "floats", "floats_too":
        connection.execute(f"SELECT remedy.drop_rollup('{name}')")
    return wrong


def dashboards(connection):
    """The last 30 days: a fifth of the rows."""
    create_rollup(connection, "month_daily", "month", [], ["count(*)", "avg(duration_ms)"])
    connection.execute("CALL remedy.refresh_rollup('month_daily')")
    connection.execute("VACUUM ANALYZE month_daily_cells, daily_cells")
    rows = connection.execute("SELECT count(*) FROM month").fetchone()[0]
    raw = "SELECT date_trunc('day', started_at, 'UTC'), count(*), avg(duration_ms) FROM month GROUP BY 1 ORDER BY 1"
    by_agent = ("SELECT bucket, sum(count), sum(sum_duration_ms) / sum(count) FROM {} WHERE bucket >= '2026-05-01' GROUP BY 1 ORDER BY 1")
    queries = {f"raw, {rows:,} rows": (raw, 7), "rollup of 30 cells": ("SELECT * FROM month_daily ORDER BY 1", 50),
               "the same, exact in this moment": ("SELECT * FROM month_daily_now ORDER BY 1", 50),
               "rollup by agent": (by_agent.format("daily"), 30),
               "the same, exact in this moment, by agent": (by_agent.format("daily_now"), 30)}
    times = {title: median_of(connection, query, count) for title, (query, count) in queries.items()}
    plain = next(iter(times.values()))
    print("| dashboard of 30 days | ms | times faster | goal |\n|---|---:|---:|---:|")
    for title, ms in times.items():
        print(f"| {title} | {ms:,.2f} | {plain / ms:,.0f} | {'3; 100' if '30 cells' in title else ''} |", flush=True)
    same = connection.execute(f"SELECT count(*) FROM (({raw}) EXCEPT ALL SELECT * FROM month_daily) AS other").fetchone()[0]
    return same
