"""The clients of the corpus as programs: how each is started, whether it can be, and PgBouncer before some of them."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg2

FOLDER = Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"  # that of the system's packages, whatever other Python comes first in PATH
NODE_CLIENTS = ("node-postgres", "sequelize", "typeorm", "prisma", "drizzle", "mikroorm", "objection")
BEHIND_PGBOUNCER = "-pgbouncer"
NEEDS_SESSION = {"cursor"}  # what a pool of transactions does not offer to each client


class Program:
    """`program --list` names its scenarios, `program NAME` does one in a process of its own."""

    def __init__(self, name, command, folder, probe):
        self.name, self.command, self.folder, self.probe = name, command, folder, probe
        self.pooled = name.endswith(BEHIND_PGBOUNCER)

    def is_here(self):
        """Whether its language, its library and, where needed, PgBouncer are installed."""
        commands = [self.probe] + ([["pgbouncer", "--version"]] if self.pooled else [])
        try:
            return all(subprocess.run(command, cwd=self.folder, capture_output=True).returncode == 0 for command in commands)
        except FileNotFoundError:
            return False

    def scenarios(self):
        listed = subprocess.run([*self.command, "--list"], cwd=self.folder, capture_output=True, text=True, timeout=60)
        if listed.returncode != 0:
            raise SystemExit(f"{self.name} --list failed:\n{listed.stderr}")
        return set(listed.stdout.split()) - (NEEDS_SESSION if self.pooled else set())

    def run(self, scenario, connection):
        """Does the scenario; returns what it has to complain of, or an empty string."""
        host, port, database = connection
        user = os.environ.get("PGUSER", "postgres")
        environment = {
            **os.environ, "PGHOST": host, "PGPORT": str(port), "PGUSER": user, "PGDATABASE": database,
            "DATABASE_URL": f"postgresql://{user}@localhost:{port}/{database}?host={host}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        if self.pooled:
            environment["BEHIND_PGBOUNCER"] = "1"  # for clients that must be told, as their users must
        try:
            done = subprocess.run([*self.command, scenario], cwd=self.folder, env=environment, capture_output=True,
                                  text=True, timeout=60)
        except subprocess.TimeoutExpired:
            return "not finished after a minute"
        if done.returncode != 0:
            return done.stderr.strip() or f"status {done.returncode}"
        return ""


def programs(node_folder):
    """All clients that the checkout has, installed or not."""
    found = []
    for suffix in ("", BEHIND_PGBOUNCER):
        for name in ("sqlalchemy", "django"):
            probe = [PYTHON, "-c", f"import {name}, psycopg2"]
            found.append(Program(name + suffix, [PYTHON, f"{name}_client.py"], FOLDER, probe))
        probe = ["ruby", "-rlogger", "-ractive_record", "-rpg", "-e", ""]
        found.append(Program("activerecord" + suffix, ["ruby", "activerecord.rb"], FOLDER, probe))
    for name in (*NODE_CLIENTS, NODE_CLIENTS[0] + BEHIND_PGBOUNCER):
        script = name.removesuffix(BEHIND_PGBOUNCER) + ".mjs"
        found.append(Program(name, ["node", script], node_folder, ["node", "-e", "fs.accessSync('node_modules')"]))
    return [program for program in found if (program.folder / program.command[1]).exists()]


class PgBouncer:
    """In transaction mode before the server, with at most three connections to each database. Ends with the block.

    Of its idle connections it gives a transaction the one that was used last, so that a client alone keeps the same
    server process; if it is to spread, the one that was used first.
    """

    def __init__(self, spread):
        self.spread = spread

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="bouncer.")
        self.host = self.folder.name
        os.chmod(self.host, 0o777)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        server = f"host={os.environ['PGHOST']} port={os.environ['PGPORT']} user={os.environ['PGUSER']}"
        settings = Path(self.host, "pgbouncer.ini")
        settings.write_text(
            f"[databases]\n* = {server}\n[pgbouncer]\npool_mode = transaction\ndefault_pool_size = 3\nauth_type = any\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir = {self.host}\n"
            f"server_round_robin = {self.spread:d}\n"
            "ignore_startup_parameters = extra_float_digits,options\n"
        )
        # It refuses to run as root.
        user = ["-u", "postgres"] if os.geteuid() == 0 else []
        self.log = open(Path(self.host, "log"), "w+")
        self.process = subprocess.Popen(["pgbouncer", "-q", *user, str(settings)], stdout=self.log, stderr=self.log)
        for _ in range(100):
            if Path(self.host, f".s.PGSQL.{self.port}").exists():
                return self
            time.sleep(0.05)
        self.__exit__()
        raise SystemExit("PgBouncer did not start")

    def fill(self, database):
        """Makes all connections to this database, as other clients would that are busy at the same time."""
        clients = [psycopg2.connect(host=self.host, port=self.port, dbname=database) for _ in range(3)]
        for client in clients:
            client.cursor().execute("SELECT 1")
        for client in clients:
            client.rollback()  # a transaction that its client left would cost the connection
            client.close()

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.log.close()
        self.folder.cleanup()
