"""Writers of a table with a rollup, of one with an empty trigger in C that asks for the statement's rows, of one with a
log kept by PL/pgSQL, and of one with neither; they take turns."""
import os
import re
import statistics
import subprocess
import time

from common import HERE, MEASURES, create_rollup, spread, timed, wrong_cells

KINDS = ["plain", "empty", "rollup", "by_hand"]
WRITE_ROW = r"""\set agent random(0, 133)
\set duration random(1, 5000)
INSERT INTO written_{} (started_at, agent, workflow, duration_ms, tokens, cost, status) VALUES (now(), :agent, 7, :duration, 400, 0.7, 'done');
"""


def prepare(connection):
    create_rollup(connection, "written_daily", "written_rollup", ["agent"], MEASURES)
    connection.execute("CALL remedy.refresh_rollup('written_daily')")
    connection.execute(open(os.path.join(HERE, "by_hand.sql")).read())
    connection.execute(f"""
        CREATE FUNCTION empty_trigger() RETURNS trigger LANGUAGE c AS '{os.environ["SCRATCH"]}/empty_trigger';
        CREATE TRIGGER empty AFTER INSERT ON written_empty REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION empty_trigger()
    """)


# Both give milliseconds on the clock, and of the server's processes on a processor, which other jobs of the machine disturb less.


def insert_batch(connection, kind, batch):
    before = on_processor(connection.info.backend_pid)
    clock = timed(connection, f"INSERT INTO written_{kind} OVERRIDING USER VALUE SELECT * FROM {batch}")
    return clock, on_processor(connection.info.backend_pid) - before


def insert_rows(connection, kind, clients, seconds, synchronous_commit):
    """For each row of each client."""
    script = os.path.join(os.environ["SCRATCH"], kind + ".sql")
    with open(script, "w") as file:
        file.write(WRITE_ROW.format(kind))
    before = of_ended_processes(connection)
    output = subprocess.run(["pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", str(clients), "-T", str(seconds), "-f",
                             script], check=True, capture_output=True, text=True,
                            env=os.environ | {"PGOPTIONS": f"-c synchronous_commit={synchronous_commit}"}).stdout
    time.sleep(0.3)
    rows = int(re.search(r"actually processed: (\d+)", output).group(1))
    return 1000 * clients / float(re.search(r"tps = ([\d.]+)", output).group(1)), (of_ended_processes(connection) - before) / rows


def on_processor(pid):
    with open(f"/proc/{pid}/schedstat") as file:
        return int(file.read().split()[0]) / 1e6


def of_ended_processes(connection):
    """The server's children that are gone."""
    postmaster = open(f"/proc/{connection.info.backend_pid}/stat").read().rsplit(")", 1)[1].split()[1]
    times = open(f"/proc/{postmaster}/stat").read().rsplit(")", 1)[1].split()
    return (int(times[13]) + int(times[14])) * 1000 / os.sysconf("SC_CLK_TCK")


def take_turns(write, rounds):
    """Times of each kind; each round begins with another kind."""
    times = {kind: [] for kind in KINDS}
    for kind in KINDS:
        write(kind)
    for number in range(rounds):
        for i in range(len(KINDS)):
            kind = KINDS[(number + i) % len(KINDS)]
            times[kind].append(write(kind))
    return times


def row(title, times, goal, digits):
    """A ratio is the median of those of the rounds, with quartiles; the second one is of processor time."""
    def ratios(kind, which):
        return sorted(mine[which] / plain[which] for mine, plain in zip(times[kind], times["plain"]))

    cells = [title, spread([clock for clock, _ in times["plain"]], digits)]
    for kind in KINDS[1:]:
        clock, processor = ratios(kind, 0), ratios(kind, 1)
        quarter = len(clock) // 4
        cells.append(f"{statistics.median(clock):.2f} [{clock[quarter]:.2f} - {clock[-1 - quarter]:.2f}]; {statistics.median(processor):.2f}")
    return cells + [goal]


def measure(connection, batch, rounds, seconds):
    prepare(connection)
    rows = [row(f"one INSERT of {batch:,} rows, {title}", take_turns(lambda kind: insert_batch(connection, kind, table), rounds), goal, 0)
            for title, table, goal in (("of the newest day, 134 cells, ms", "batch_newest", "1.05"),
                                       ("of 150 days, 20,100 cells, ms", "batch_scattered", ""))]
    rows += [row(f"single rows, {clients} client{'s' if clients > 1 else ''}, {title}, ms a row",
                 take_turns(lambda kind: insert_rows(connection, kind, clients, seconds, synchronous_commit), rounds), goal, 3)
             for title, synchronous_commit, goals in (("no wait for the disk", "off", ("1.08", "1.12")), ("each kept on disk", "on", ("", "")))
             for clients, goal in zip((1, 4), goals)]
    print("| writers | no trigger | empty trigger in C, ratio | rollup, ratio | PL/pgSQL, ratio | goal |\n|---|---:|---:|---:|---:|---:|")
    for cells in rows:
        print("| " + " | ".join(cells) + " |", flush=True)
    wrong = wrong_cells(connection, "written_daily_now", "written_rollup")
    connection.execute("CALL remedy.refresh_rollup('written_daily')")
    return wrong + wrong_cells(connection, "written_daily", "written_rollup")
