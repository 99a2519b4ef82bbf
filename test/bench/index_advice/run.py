"""The index advice benchmark; started by test/bench/index-advice, which has the server. See docs/performance.md."""

import argparse
import collections
import json
import os
import pathlib
import re
import subprocess
import time

import advisors
import driver
import indexes
import judge
import tpch
import web

HERE = pathlib.Path(__file__).parent
Result = collections.namedtuple("Result", "figures hot megabytes failed added dropped existing")


class Workload:
    """A database and what is asked of it. Parts are named sets of statements and of tables, reported apart."""

    def __init__(self, name, scale, share):
        self.name, self.scale, self.share = name, scale, share
        self.truth = json.loads((HERE / "web_truth.json").read_text()) if name == "web" else None

    def calls(self, run):
        return web.calls(self.scale, self.share, run) if self.name == "web" else tpch.calls(run)

    def load(self):
        scale = self.scale if self.name == "web" else self.scale * tpch.SCALE
        psql(self.name, "-v", "scale=%g" % scale, "-f", str(HERE / (self.name + ".sql")))

    def parts(self):
        if self.name != "web":
            return {"": lambda name: True, "without " + " and ".join(tpch.SLOW): lambda name: name not in tpch.SLOW}
        held = {statement.name for statement in web.STATEMENTS if statement.held_out}
        return {"tuned on": lambda name: name not in held, "held out": lambda name: name in held, "both": lambda name: True}

    def tables(self, part):
        held = self.truth["held_out"]
        return {"tuned on": lambda table: table not in held, "held out": lambda table: table in held, "both": lambda table: True}[part]


def psql(database, *arguments):
    subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, *arguments], check=True)


def command(text):
    with driver.connect("postgres") as connection:
        connection.execute(text)


def available(names):
    """Those of the advisors whose extension this server has; ours is staged, which the view does not know on Debian."""
    with driver.connect("postgres") as connection:
        there = {row[0] for row in connection.execute("SELECT name FROM pg_available_extensions").fetchall()}
    for name in names:
        extension = advisors.ADVISORS[name].extension
        if extension and extension not in there | {"pg_remedy"}:
            print("%s: left out, for %s is not installed" % (name, extension))
        else:
            yield name


def run(workload, name, options):
    """One advisor on a fresh copy: it watches, advises, and the workload runs again with other values."""
    advisor = advisors.ADVISORS[name]()
    database = "%s_%s" % (workload.name, name)
    command('CREATE DATABASE %s TEMPLATE %s STRATEGY file_copy' % (database, workload.name))
    with driver.connect(database) as connection:
        if advisor.extension:
            connection.execute("CREATE EXTENSION " + advisor.extension)
        connection.execute("ANALYZE")
        existing = indexes.read(connection)
        before = indexes.megabytes(connection)
    # All databases have seen the same writes before they are measured; who does not watch is spared the reading.
    driver.send(database, [call for call in workload.calls(0) if advisor.watches or not call[0].sql.startswith("SELECT")],
                options.literals, advisor.settings)
    with driver.connect(database, advisor.settings) as connection:
        start = time.perf_counter()
        ddl = advisor.advise(connection, workload)
        asked = time.perf_counter() - start
    with driver.connect(database) as connection:
        grown = indexes.megabytes(connection)
        seconds, dropped, failed = advisors.apply(connection, ddl)
        there = indexes.read(connection)
        megabytes = indexes.megabytes(connection) - grown
        connection.execute("ANALYZE")
        connection.execute("CHECKPOINT")
    figures, hot = driver.measure(database, workload.calls(1), options.literals)
    added = [index for key, index in there.items() if key not in existing]
    stay = [index for key, index in existing.items() if key in there]
    if not options.keep:
        command("DROP DATABASE " + database)
    print("%s: asked for %.1f s, built in %.1f s" % (name, asked, seconds), flush=True)
    return Result(figures, hot, megabytes, failed, added, dropped, stay)


def total(figures, part, what):
    return sum(getattr(figure, what) for name, figure in figures.items() if part(name))


def percent(share):
    return "-" if share is None else "%.0f %%" % (100 * share)


def saving(results, name, part, what):
    if "none" not in results or "expert" not in results or name == "none":
        return None
    none, expert, ours = (total(results[who].figures, part, what) for who in ("none", "expert", name))
    return (none - ours) / (none - expert)


def report(workload, results, needs):
    for title, part in workload.parts().items():
        print("\n%s%s: %d statements, %d calls" % (workload.name, ", " + title if title else "",
              *(lambda figures: (len(figures), sum(f.calls for f in figures)))([f for name, f in next(iter(results.values())).figures.items() if part(name)])))
        rows = []
        for name, result in results.items():
            row = ["%.2f" % (total(result.figures, part, "milliseconds") / 1e3), "%.0f" % (total(result.figures, part, "blocks") / 1e3)]
            if workload.truth:
                row += [percent(saving(results, name, part, what)) for what in ("milliseconds", "blocks")]
            row += ["%d" % len(judge.distinct([i for i in result.added if not workload.truth or workload.tables(title)(i.table)]))]
            if workload.truth:
                row += judged(workload, title, result, needs)
            row += ["%.1f" % result.megabytes, percent(result.hot)] if title in ("", "both") else []
            rows.append([name] + row)
        head = ["advice of", "seconds", "k blocks"] + (["saving", "in blocks"] if workload.truth else []) + ["indexes"]
        head += ["precision", "recall", "best", "drops", "wrong"] if workload.truth else []
        head += ["MB", "HOT"] if title in ("", "both") else []
        table([head] + rows)


def judge_part(workload, title, result, needs):
    inside = workload.tables(title)
    traps = [(trap["table"], trap["columns"], trap["why"]) for trap in workload.truth["traps"]]
    some = [need for need in needs if inside(need.table)]
    verdict = judge.judge([i for i in result.added if inside(i.table)], result.existing, some, traps)
    dropped, wrong = judge.judge_drops([name for name in result.dropped if inside(workload.table_of[name])], workload.truth["drops"])
    return some, verdict, dropped, wrong


def judged(workload, title, result, needs):
    some, verdict, dropped, wrong = judge_part(workload, title, result, needs)
    musts = [need for need in some if not need.optional]
    met = [need for need in musts if need in verdict.met]
    inside = workload.tables(title)
    advised = len(verdict.matched) + len(verdict.wrong) + len([text for text, error in result.failed if inside(table_of(text))])
    wanted = [name for name in workload.truth["drops"] if inside(workload.table_of[name])]
    return ["%.2f" % (len(verdict.matched) / advised) if advised else "-", "%d/%d" % (len(met), len(musts)),
            "%d/%d" % (len([need for need in musts if need in verdict.best]), len(musts)), "%d/%d" % (len(dropped), len(wanted)), "%d" % len(wrong)]


def table_of(create_index):
    """Of DDL that failed, which counts as wrong advice."""
    found = re.search(r'\bON (?:ONLY )?(?:public\.)?("[^"]+"|[\w.]+)', create_index)
    return found[1] if found else ""


def table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(zip(row, widths))))


def tell(workload, results, needs):
    """What each advisor met, and what it got wrong; and each statement's figures."""
    for name, result in results.items():
        print("\n== %s" % name)
        for text, error in result.failed:
            print("failed: %s: %s" % (text, error))
        if workload.truth:
            some, verdict, dropped, wrong = judge_part(workload, "both", result, needs)
            for need in some:
                index = verdict.met.get(need)
                print("%-9s %-34s %s" % ("best" if need in verdict.best else "met" if index else "optional" if need.optional else "NOT MET", need.name, judge.describe(index) if index else ""))
            for index, why in verdict.wrong.items():
                print("wrong     %s: %s" % (judge.describe(index), why))
            print("dropped   %s; wrongly %s" % (", ".join(dropped) or "none", ", ".join("%s (%s)" % (n, workload.truth["keep"].get(n, "not wanted")) for n in wrong) or "none"))
        else:
            for index in judge.distinct(result.added):
                print("index     " + judge.describe(index))
    print("\nmilliseconds and blocks of a call")
    head = ["statement", "calls"] + [column for name in results for column in (name, "blocks")]
    rows = []
    for name in sorted(next(iter(results.values())).figures):
        row = [name, "%d" % next(iter(results.values())).figures[name].calls]
        for result in results.values():
            figure = result.figures[name]
            row += ["%.3f" % (figure.milliseconds / figure.calls), "%.0f" % (figure.blocks / figure.calls)]
        rows.append(row)
    table([head] + rows)


def main():
    parser = argparse.ArgumentParser(prog="test/bench/index-advice", description=__doc__)
    parser.add_argument("--workload", choices=["web", "tpch", "all"], default="all")
    parser.add_argument("--advisors", default=",".join(advisors.ADVISORS), help="of " + ", ".join(advisors.ADVISORS))
    parser.add_argument("--literals", action="store_true", help="send values as literals by the simple protocol, not as parameters")
    parser.add_argument("--scale", type=float, default=1.0, help="of the data; the truth holds for 1 only")
    parser.add_argument("--share", type=float, default=1.0, help="of the calls")
    parser.add_argument("--quick", action="store_true", help="--scale 0.2 --share 0.1: whether all works")
    parser.add_argument("--verbose", action="store_true", help="each need, wrong advice, and each statement")
    parser.add_argument("--keep", action="store_true", help="keep the databases, and the server until Enter is pressed")
    options = parser.parse_args()
    if options.quick:
        options.scale, options.share = 0.2, 0.1
    command("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    asked = list(available(options.advisors.split(",")))
    for name in ["web", "tpch"] if options.workload == "all" else [options.workload]:
        workload = Workload(name, options.scale, options.share)
        command("CREATE DATABASE " + name)
        start = time.perf_counter()
        workload.load()
        print("%s: loaded in %.0f s" % (name, time.perf_counter() - start), flush=True)
        needs = []
        if workload.truth:
            command("CREATE DATABASE forms TEMPLATE " + name)
            with driver.connect("forms") as connection:
                workload.table_of = {key: index.table for key, index in indexes.read(connection).items()}
                connection.execute("TRUNCATE %s CASCADE" % ", ".join(row[0] for row in connection.execute(
                    "SELECT relid::regclass::text FROM pg_stat_user_tables").fetchall()))
                needs = indexes.needs(workload.truth, connection)
            command("DROP DATABASE forms")
        results = {who: run(workload, who, options) for who in asked
                   if who != "expert" or (HERE / (name + "_expert.sql")).exists()}
        if options.verbose:
            tell(workload, results, needs)
        report(workload, results, needs)
    if options.keep:
        input("PGHOST=%(PGHOST)s PGPORT=%(PGPORT)s PGUSER=%(PGUSER)s; press Enter to stop the server" % os.environ)


if __name__ == "__main__":
    main()
