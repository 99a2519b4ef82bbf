"""The chapter of the json column: found, checked and made jsonb while the application goes on."""

import statistics
import threading
import time

import psycopg2
from sqlalchemy.orm import Session

import pages

TABLE, COLUMN, PROVIDER = "agents", "configuration", "ollama"
RENDERINGS = 9  # The table shows their median time.
PAGES = {"search": lambda session: pages.agents_of_provider(session, PROVIDER), "report": pages.provider_report}
# What customers brought along: 20,000 agents, one in 500 with the provider that is searched for. Three documents name
# a key twice, and one has a number that no type of the server's can hold.
IMPORT = r"""
    INSERT INTO agents (user_id, name, configuration)
    SELECT 1 + i % 3, 'Agent ' || i, format(
        '{"model": "%s", "temperature": 0.%s, "llm_provider": "%s", "tools": ["search", "mail", "calendar"],'
        ' "prompt": "You are the assistant number %s. Be brief, be friendly, ask when you are not sure.",'
        ' "limits": {"tokens": %s, "seconds": 30}%s}',
        (ARRAY['small', 'large'])[1 + i % 2], i % 10,
        CASE WHEN i % 500 = 7 THEN 'ollama' ELSE (ARRAY['openai', 'anthropic', 'mistral'])[1 + i % 3] END, i,
        CASE WHEN i = 4711 THEN '1e999999' ELSE (i % 4096)::text END,
        CASE WHEN i % 7000 = 42 THEN ', "model": "tiny"' END)::json
    FROM generate_series(1, 20000) AS i
"""
MEND = f"""
    UPDATE {TABLE} SET {COLUMN} = replace({COLUMN}::text, '1e999999', 'null')::json
    WHERE (remedy.judge_json({COLUMN})).verdict = 'rejected'
"""


class Users(threading.Thread):
    """People at work: one searches, or one changes agents; each request is timed, and an error is kept."""

    def __init__(self, engine, request):
        super().__init__()
        self.engine, self.request = engine, request
        self.times_ms, self.errors = [], []
        self.done = threading.Event()

    def run(self):
        while not self.done.wait(0.005):
            started = time.perf_counter()
            try:
                with Session(self.engine, future=True) as session:
                    self.request(session, len(self.times_ms))
            except Exception as error:  # pylint: disable=broad-except
                self.errors.append(str(error))
            self.times_ms.append((time.perf_counter() - started) * 1000)


def change(session, number):
    pages.set_temperature(session, 1000 + number % 5000, 0.2)


def render_all(engine):
    """The median time of each page in ms, and what they say."""
    times_ms, bodies = {}, {}
    for page, render in PAGES.items():
        times_ms[page] = []
        for _ in range(RENDERINGS):
            with Session(engine, future=True) as session:
                started = time.perf_counter()
                bodies[page] = render(session)
                times_ms[page].append((time.perf_counter() - started) * 1000)
    return {page: f"{statistics.median(times):.1f}" for page, times in times_ms.items()}, bodies


def alone(statement):
    """A statement outside of transactions: its rows, or their number, and what the server told meanwhile."""
    connection = psycopg2.connect("")
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(statement)
    result = cursor.fetchall() if cursor.description else cursor.rowcount
    connection.close()
    return result, [notice.partition(":")[2].strip() for notice in connection.notices]


def call(procedure):
    statement = f"CALL remedy.{procedure}('{TABLE}', '{COLUMN}')"
    print(statement)
    for notice in alone(statement)[1]:
        print(f"  {notice}")


def migrate_under_load(engine):
    """Returns the errors of those who worked meanwhile."""
    users = [Users(engine, request) for request in (lambda session, _: PAGES["search"](session), change)]
    for user in users:
        user.start()
    try:
        call("migrate_json")
        time.sleep(0.3)  # So that both come round afterwards.
    finally:
        for user in users:
            user.done.set()
            user.join()
    searches, changes = (user.times_ms for user in users)
    errors = sum((user.errors for user in users), [])
    print(f"\nMeanwhile the application made {len(searches)} searches and {len(changes)} changes"
          f", with {len(errors)} errors;")
    print(f"the longest took {max(searches + changes):.0f} ms.\n")
    return errors


def build_advised_index():
    query = "SELECT fix_sql FROM remedy.advise_json_indexes(%s, %s) WHERE fix_sql IS NOT NULL ORDER BY rank LIMIT 1"
    advice, _ = alone(query.replace("%s", "'{}'").format(TABLE, COLUMN))
    for (fix_sql,) in advice:
        print(f"The first advice of remedy.advise_json_indexes('{TABLE}', '{COLUMN}'):\n{fix_sql}\n")
        alone(fix_sql)
        alone(f"ANALYZE {TABLE}")
    return bool(advice)


def chapter(engine, psql, print_table):
    """Prints it, and returns what is not as expected."""
    alone(IMPORT)
    alone(f"VACUUM ANALYZE {TABLE}")
    as_json, bodies = render_all(engine)
    psql("documents.sql")
    mended, _ = alone(MEND)
    print(f"The document that jsonb refuses is mended: UPDATE {mended}."
          " Of a key that is named twice the last value stays.\n")

    errors = migrate_under_load(engine)
    as_jsonb, bodies_then = render_all(engine)
    advised = build_advised_index()
    indexed, bodies_last = render_all(engine)
    call("finish_json_migration")

    print()
    print_table([("page", "ms with json", "with jsonb", "with the index"),
                 *((page, as_json[page], as_jsonb[page], indexed[page]) for page in PAGES)])  # fmt: skip
    type_now, _ = alone(f"SELECT atttypid::regtype::text FROM pg_attribute"
                        f" WHERE attrelid = '{TABLE}'::regclass AND attname = '{COLUMN}'")
    if type_now != [("jsonb",)]:
        errors.append(f"{TABLE}.{COLUMN} is {type_now}")
    found = [rendered["search"] for rendered in (bodies, bodies_then, bodies_last)]
    if len(found[0]) != 40 or found != found[:1] * 3:
        errors.append(f"the search found other agents: {found}")
    if mended != 1:
        errors.append(f"{mended} documents were mended, expected 1")
    if not advised or float(indexed["search"]) > float(as_json["search"]):
        errors.append("no index was advised, or it does not help")
    return errors
