"""What sketches tell, beside the server: in 20,000 cells, and merged over all of them."""
COLUMNS = {"uniform": "random() * 1000 + 1",
           "log-normal": "exp(sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()))",
           "bimodal": "CASE WHEN random() < 0.9 THEN 20 + random() * 5 ELSE 5e6 + random() * 1e5 END"}


def installed(connection, extension):
    if connection.execute("SELECT count(*) FROM pg_available_extensions WHERE name = %s", (extension,)).fetchone()[0] == 0:
        return False
    connection.execute(f"CREATE EXTENSION {extension}")
    return True


def create(connection, name, measures):
    connection.execute("SELECT remedy.create_rollup(%s, 'values', 'at', 'day', '{agent}', %s, 'UTC')", (name, measures))
    connection.execute("CALL remedy.refresh_rollup(%s)", (name,))
    connection.execute("SELECT remedy.create_rollup(%s, %s, 'bucket', 'year', '{}', %s)", (name + "_merged", name, measures))


def worst(connection, name, column, exact):
    """Percent that the measure is off at most, in a cell and merged."""
    off = f"max(abs({column} - exact) / exact::float8) * 100"
    return [connection.execute(f"""SELECT {off} FROM {view} JOIN (SELECT date_trunc('{unit}', at, 'UTC') AS bucket {keys}, {exact} AS exact
                                   FROM values GROUP BY 1 {keys}) AS e USING (bucket {keys})""").fetchone()[0]
            for view, unit, keys in ((name, "day", ", agent"), (name + "_merged", "year", ""))]


def tell(title, errors, goal):
    print(f"| {title} | {errors[0]:.2f} % | {errors[1]:.2f} % | {goal} |", flush=True)


def measure(connection, rows):
    columns = ", ".join(f"{text} AS v{number}" for number, text in enumerate(COLUMNS.values(), 1))
    connection.execute("SELECT setseed(0.3)")
    connection.execute(f"""CREATE TABLE values AS SELECT timestamptz '2026-01-01' + (i % 150) * interval '1 day' AS at, i / 150 % 134 AS agent,
                           {columns}, (random() * {rows} / 6)::bigint AS visitor FROM generate_series(1, {rows}) AS i""")
    connection.execute("ANALYZE values")
    print("| sketch | worst of 20,100 cells | merged over them | goal |\n|---|---:|---:|---:|")
    create(connection, "sketched", [f"percentile(v{number}, 0.95)" for number in (1, 2, 3)])
    digests = installed(connection, "tdigest")
    if digests:
        create(connection, "digested", [f"tdigest_percentile(v{number}, 0.95)" for number in (1, 2, 3)])
    for number, title in enumerate(COLUMNS, 1):
        exact = f"percentile_cont(0.95) WITHIN GROUP (ORDER BY v{number})"
        tell(f"p95, {title}", worst(connection, "sketched", f"p95_v{number}", exact), "1 %")
        if digests:
            tell(f"p95, {title}, by tdigest", worst(connection, "digested", f"p95_v{number}", exact), "")
    if installed(connection, "hll"):
        create(connection, "counted", ["count(DISTINCT visitor)"])
        tell("distinct", worst(connection, "counted", "distinct_visitor", "count(DISTINCT visitor)"), "2.5 %")
    sizes = connection.execute("""SELECT name::text, round(size_bytes / cells) FROM remedy.rollups
                                  WHERE name::text IN ('sketched', 'digested', 'counted') AND cells > 0 ORDER BY 1""").fetchall()
    print("\nbytes a cell, all told: " + ", ".join(f"{name} {size}" for name, size in sizes), flush=True)
