"""The examples of suites/, run as their users would: each passes, and each says so of every test in it."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from common import elsewhere

FOLDER = Path(__file__).resolve().parent
SUITES = FOLDER / "suites"
PYTHON = "/usr/bin/python3"  # that of the system's packages, whatever other Python comes first in PATH
NODE = Path(os.environ.get("PG_REMEDY_NODE") or FOLDER / "corpus" / "node")


def setUpModule():
    elsewhere((FOLDER / "corpus" / "schema.sql").read_text())


class SuiteExamples(unittest.TestCase):
    def run_suite(self, command, pattern, tests, **options):
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, **options
        )
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual([int(count) for count in re.findall(pattern, done.stdout, re.M)], [tests], done.stdout)
        return done.stdout

    def test_pgtap(self):
        if not elsewhere("SELECT 1 FROM pg_available_extensions WHERE name = 'pgtap'"):
            self.skipTest("pgTAP is not installed for this server")
        printed = self.run_suite(
            ["psql", "-X", "-v", "ON_ERROR_STOP=1", "-f", str(SUITES / "pgtap.sql")], r"^1\.\.(\d+)$", 6
        )
        self.assertEqual(len(re.findall(r"^ok \d", printed, re.M)), 6, printed)
        self.assertNotIn("not ok", printed)

    def test_pytest_with_sqlalchemy(self):
        self.run_suite(
            [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "pytest_sqlalchemy.py"],
            r"^(\d+) passed",
            2,
            cwd=SUITES,
        )

    def test_django_testcase(self):
        self.run_suite([PYTHON, "django_testcase.py"], r"^Ran (\d+) tests", 2, cwd=SUITES)

    def run_node(self, name, tests):
        if shutil.which("node") is None or not (NODE / "node_modules").is_dir():
            self.skipTest("the Node clients of the corpus are not installed")
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(SUITES / name, folder)
            os.symlink(NODE / "node_modules", f"{folder}/node_modules")
            self.run_suite(["node", "--test", name], r"^# pass (\d+)", tests, cwd=folder)

    def test_node_test_with_sequelize(self):
        self.run_node("sequelize.test.mjs", 2)

    def test_node_test_with_prisma(self):
        if shutil.which("node") is None or not (NODE / "node_modules").is_dir():
            self.skipTest("the Node clients of the corpus are not installed")
        # Makes the client of the models, where it is not made yet.
        subprocess.run(["node", "prisma.mjs", "--list"], cwd=NODE, check=True, stdout=subprocess.DEVNULL)
        self.run_node("prisma.test.mjs", 3)


if __name__ == "__main__":
    unittest.main()
