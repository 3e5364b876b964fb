"""The data path of TRAIN and EVALUATE against scripts written by hand, on a real PostgreSQL.

Run it with `make bench`, or `python tests/bench/bench_data.py [--rows 1000000] [--repeat 3] [--without pandas]`.
Nothing is asserted: clocks differ, ratios are for people. Each case is a whole process, start and imports included;
processor seconds are the least of the repeats, for which it matters least what else the machine does. Targets for
1,000,000 rows x 20: TRAIN at most 1.10 times the processor time and 1.0 times the memory of the best script, half the
time and a quarter of the memory of pandas; EVALUATE at most 1.10 times; the source queried once; memory that does not
grow with the rows.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.by_hand import PARAMETERS, ROUNDS, SELECT
from tests.bench.measuring import Cost, cost_of
from tests.databases.harness import step_command, step_env
from tests.support.servers import Server, programs, running

TRAIN = (
    f'{SELECT} TO TRAIN xgboost.gbtree WITH objective="{PARAMETERS["objective"]}", seed={PARAMETERS["seed"]}, '
    f"train.num_boost_round={ROUNDS} LABEL y INTO m;"
)
EVALUATE = f'{SELECT} TO EVALUATE m WITH validation.metrics="accuracy_score" LABEL y;'
COLUMNS = 20


def fill(server: Server, rows: int) -> None:
    """A table of that many rows: twenty numbers, and a label that depends on two of them."""
    with server.connect() as admin:
        admin.execute("SELECT setseed(0.5)")
        columns = ", ".join(f"random() * {number + 1} AS c{number}" for number in range(COLUMNS))
        made = f"SELECT {columns} FROM generate_series(1, {rows})"
        label = "(c0 + c1 / 2 + random() > 1.4)::int AS y"
        admin.execute(f"CREATE TABLE t AS SELECT *, {label} FROM ({made}) q".encode())
        admin.execute("VACUUM ANALYZE t")
        admin.execute("CREATE EXTENSION pg_stat_statements")


def queries(server: Server) -> int:
    """How often the table was read since the last call."""
    with server.connect() as admin:
        row = admin.execute("SELECT sum(calls) FROM pg_stat_statements WHERE query ~ 'FROM t\\M'").fetchone()
        admin.execute("SELECT pg_stat_statements_reset()")
    return int(row[0]) if row and row[0] else 0


def report(server: Server, rows: int, repeat: int, without: Sequence[str]) -> None:
    """Print a table of what each case took."""
    url = server.url().replace("postgresql+psycopg", "postgresql")
    by_hand = [sys.executable, str(Path(__file__).with_name("by_hand.py"))]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for what, text, ways in (("train", TRAIN, ("table", "spool", "pandas")), ("evaluate", EVALUATE, ("batches",))):
            (folder / what).mkdir()
            ours = step_command(folder / what, text, "--statements", "1")
            env = step_env(folder / what, server.url())
            cases = {"TO " + what.upper(): ours} | {
                f"by hand, {way}": [*by_hand, what, way, url] for way in ways if way not in without
            }
            costs: dict[str, list[Cost]] = {case: [] for case in cases}
            queries(server)
            read = 0
            for _ in range(repeat):
                for case, command in cases.items():
                    costs[case].append(cost_of(command, env))
                    read = queries(server) if command is ours else read
                    queries(server)
            show(f"{what}, {rows} rows x {COLUMNS}: the table was queried {read} time(s)", costs)


def show(title: str, costs: Mapping[str, Sequence[Cost]]) -> None:
    """Print one table."""
    best = {case: (min(c.cpu for c in found), min(c.peak for c in found) / 2**20) for case, found in costs.items()}
    seconds, peak = next(iter(best.values()))
    print(f"\n{title}\n{'':>22} {'CPU s':>8} {'ours/it':>8} {'peak MiB':>9} {'ours/it':>8}")
    for case, (its_seconds, its_peak) in best.items():
        print(f"{case:>22} {its_seconds:>8.2f} {seconds / its_seconds:>8.2f} {its_peak:>9.0f} {peak / its_peak:>8.2f}")


def main() -> None:
    """Measure, if this machine has PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--without", action="append", default=[], help="a way of the scripts that is left out")
    arguments = parser.parse_args()
    if found := programs():
        with running(found, settings="-c shared_preload_libraries=pg_stat_statements") as server:
            fill(server, arguments.rows)
            report(server, arguments.rows, arguments.repeat, arguments.without)


if __name__ == "__main__":
    main()
