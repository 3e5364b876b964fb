"""The price of a start and of a statement: a step, `sqlflow --help` and `sqlflow run`, each against a bare counterpart.

Run it with `make bench`, or `python tests/bench/bench_start.py`. Nothing is asserted: clocks differ, ratios are for
people. Targets: from the start of its process to its first statement, a step takes at most 1.5 times as long as a
script that connects by psycopg and sends the same statement; `sqlflow --help` at most 1.5 times as long as a command
of as many subcommands that only imports typer and rich. Both in turn, many times, so that what else the machine does
meets them alike. The statement asks the server for its clock, which is this machine's. A program of 1,000 INSERTs,
each of which commits, takes `sqlflow run` at most 1.5 times as long as psql, on a server that writes every commit to
its disk; without that the server does next to nothing, and the start of Python alone is longer than all of psql.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.measuring import Cost, cost_of
from tests.databases.harness import step_command, step_env
from tests.support.servers import PASSWORD, Server, programs, running

ROUNDS = 25
INSERTS, INSERT_ROUNDS = 1000, 5
CLOCK = "SELECT extract(epoch FROM clock_timestamp())::text AS now"
_NUMBER = re.compile(r"\d+\.\d+")

BARE_SQL = """
import os, psycopg
connection = psycopg.connect(os.environ["SQLFLOW_DATABASE_URL"], autocommit=True)
print(connection.execute({clock!r}).fetchone()[0])
"""
BARE_HELP = """
import typer, rich.console
app = typer.Typer(help="A command.", no_args_is_help=True, add_completion=False, rich_markup_mode="rich")
for name in ("run", "check", "graph", "render", "version"):
    @app.command(name)
    def command(file: str, option: str = "") -> None:
        "Do something with a file."
app(["--help"])
"""


def in_turn(cases: dict[str, Callable[[], Cost]], rounds: int = ROUNDS) -> dict[str, list[Cost]]:
    """The costs of every case, after a first round that fills the caches."""
    found: dict[str, list[Cost]] = {case: [] for case in cases}
    for number in range(rounds + 1):
        for case, run in cases.items():
            cost = run()
            if number:
                found[case].append(cost)
    return found


def report(title: str, costs: dict[str, list[Cost]]) -> None:
    """Print a table; the first case is the baseline."""
    print(f"\n{title}\n{'':>26} {'wall s':>8} {'ratio':>6} {'CPU s':>8} {'ratio':>6}")
    base = next(iter(costs.values()))
    for case, found in costs.items():
        wall, cpu = (statistics.median(getattr(one, name) for one in found) for name in ("wall", "cpu"))
        of_wall, of_cpu = (statistics.median(getattr(one, name) for one in base) for name in ("wall", "cpu"))
        print(f"{case:>26} {wall:>8.3f} {wall / of_wall:>6.2f} {cpu:>8.3f} {cpu / of_cpu:>6.2f}")


def first_statement(command: list[str], env: dict[str, str]) -> Cost:
    """Wall seconds from the start of the process to its first statement; CPU seconds of all of it."""
    begun = time.time()
    cost = cost_of(command, env)
    rows = [json.loads(line)["values"][0] for line in cost.stdout.splitlines() if '"type":"row"' in line]
    sent = _NUMBER.search(rows[0] if rows else cost.stdout)
    assert sent is not None, cost.stdout
    return Cost(float(sent.group()) - begun, cost.cpu, cost.peak, cost.stdout)


def steps(server: Server, folder: Path) -> None:
    """A step of one SELECT."""
    env = step_env(folder, server.url().replace("+psycopg", ""))
    step = step_command(folder, CLOCK, "--statements", "1")
    bare = [sys.executable, "-c", BARE_SQL.format(clock=CLOCK)]
    cases = {"bare psycopg": lambda: first_statement(bare, env), "step": lambda: first_statement(step, env)}
    report("from the start of the process to its first statement (target <= 1.5; CPU: whole process)", in_turn(cases))


def help_pages() -> None:
    """`sqlflow --help`."""
    sqlflow = [str(Path(sys.executable).with_name("sqlflow")), "--help"]
    bare = [sys.executable, "-c", BARE_HELP]
    cases = {"bare typer and rich": lambda: cost_of(bare), "sqlflow --help": lambda: cost_of(sqlflow)}
    report("sqlflow --help (target <= 1.5)", in_turn(cases))


def inserts(server: Server, folder: Path) -> None:
    """A program of many brief statements."""
    program = folder / "inserts.sql"
    program.write_text("".join(f"INSERT INTO t VALUES ({number});\n" for number in range(INSERTS)))
    with server.connect() as admin:
        admin.execute("CREATE TABLE t (a INTEGER)")
    url = server.url().replace("+psycopg", "")
    env = os.environ | {"SQLFLOW_DATABASE_URL": url, "PGPASSWORD": PASSWORD}
    psql = ["psql", "-h", "127.0.0.1", "-p", str(server.port), "-U", "tester", "-d", "postgres", "-f", str(program)]
    sqlflow = [str(Path(sys.executable).with_name("sqlflow")), "run", str(program)]
    cases = {"psql": lambda: cost_of(psql, env), "sqlflow run": lambda: cost_of(sqlflow, env)}
    report(f"{INSERTS} INSERTs, each to the disk (target for the time <= 1.5)", in_turn(cases, INSERT_ROUNDS))


def main() -> None:
    """Measure all of it."""
    help_pages()
    postgres = programs()
    if postgres is None:
        print("no PostgreSQL on this machine", file=sys.stderr)
        return
    with running(postgres) as server, tempfile.TemporaryDirectory() as folder:
        steps(server, Path(folder))
    with running(postgres, durable=True) as server, tempfile.TemporaryDirectory() as folder:
        inserts(server, Path(folder))


if __name__ == "__main__":
    main()
