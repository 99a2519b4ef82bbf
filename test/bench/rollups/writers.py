"""Writers of a table with a rollup, with a log kept by PL/pgSQL, and of one with neither; they take turns."""
import os
import re
import statistics
import subprocess
import time

from common import HERE, MEASURES, create_rollup, spread, timed, wrong_cells

KINDS = ["plain", "rollup", "by_hand"]
WRITE_ROW = r"""\set agent random(0, 133)
\set duration random(1, 5000)
INSERT INTO written_{} (started_at, agent, workflow, duration_ms, tokens, cost, status) VALUES (now(), :agent, 7, :duration, 400, 0.7, 'done');
"""


def prepare(connection):
    create_rollup(connection, "written_daily", "written_rollup", ["agent"], MEASURES)
    connection.execute("CALL remedy.refresh_rollup('written_daily')")
    connection.execute(open(os.path.join(HERE, "by_hand.sql")).read())


# Both give milliseconds on the clock, and of the server's processes on a processor, which other jobs of the machine disturb less.


def insert_batch(connection, kind, batch):
    before = on_processor(connection.info.backend_pid)
    clock = timed(connection, f"INSERT INTO written_{kind} OVERRIDING USER VALUE SELECT * FROM {batch}")
    return clock, on_processor(connection.info.backend_pid) - before


def insert_rows(connection, kind, clients, seconds):
    """For each row of each client."""
    script = os.path.join(os.environ["SCRATCH"], kind + ".sql")
    with open(script, "w") as file:
        file.write(WRITE_ROW.format(kind))
    before = of_ended_processes(connection)
    output = subprocess.run(["pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", str(clients), "-T", str(seconds), "-f",
                             script], check=True, capture_output=True, text=True).stdout
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
    """A ratio is the median of those of the rounds."""
    def ratios(kind):
        texts = []
        for which in (0, 1):
            found = sorted(mine[which] / plain[which] for mine, plain in zip(times[kind], times["plain"]))
            quarter = len(found) // 4
            texts.append(f"{statistics.median(found):.2f} [{found[quarter]:.2f} - {found[-1 - quarter]:.2f}]")
        return texts
    return [title] + [spread([clock for clock, _ in times[kind]], digits) for kind in KINDS] + ratios("rollup") + ratios("by_hand") + [goal]


def measure(connection, batch, rounds, seconds):
    prepare(connection)
    rows = [row(f"one INSERT of {batch:,} rows, {title}", take_turns(lambda kind: insert_batch(connection, kind, table), rounds), goal, 0)
            for title, table, goal in (("of the newest day, 134 cells, ms", "batch_newest", "1.05"),
                                       ("of 150 days, 20,100 cells, ms", "batch_scattered", ""))]
    rows += [row(f"single rows, {clients} client{'s' if clients > 1 else ''}, ms a row",
                 take_turns(lambda kind: insert_rows(connection, kind, clients, seconds), rounds), goal, 3)
             for clients, goal in ((1, "1.08"), (4, "1.12"))]
    print("| writers | no trigger | rollup | PL/pgSQL | rollup, ratio | of processor | PL/pgSQL, ratio | of processor | goal |\n"
          "|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for cells in rows:
        print("| " + " | ".join(cells) + " |", flush=True)
    wrong = wrong_cells(connection, "written_daily_now", "written_rollup")
    connection.execute("CALL remedy.refresh_rollup('written_daily')")
    return wrong + wrong_cells(connection, "written_daily", "written_rollup")
