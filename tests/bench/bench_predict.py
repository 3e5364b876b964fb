"""TO PREDICT against a hand-written script: read a table, predict, write all of it and the predictions back.

Run it with `make bench`, or `python tests/bench/bench_predict.py [ROWS]`. Nothing is asserted: clocks differ, ratios
are for people. Target: at most 1.15 times the time of the script, which reads by ADBC into Arrow, predicts batch by
batch, and writes a new table by COPY in the binary format; `step` makes a new table too. `replaced` deletes the rows
of the run before, which keeps views and readers: the script has nothing like it. Memory: the same at five times the
rows.

Data: ROWS x 20 numbers made by PostgreSQL's own setseed(0.5) and random(); the label is a sum over some of them.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.measuring import Cost, cost_of
from tests.databases.harness import connect, step_command, step_env, succeed
from tests.support.servers import Server, programs, running

ROWS, COLUMNS, ROUNDS = 1_000_000, 20, 3
TRAINED = 20_000
FEATURES = ", ".join(f"f{number}" for number in range(COLUMNS))
PREDICT = f"SELECT id, {FEATURES} FROM {{table}} TO PREDICT predicted.score USING m"

SCRIPT = """
import os, sys
import adbc_driver_postgresql.dbapi as adbc, numpy as np, psycopg, xgboost
url, table, model = sys.argv[1:]
booster = xgboost.Booster(model_file=model)
with psycopg.connect(url) as target, adbc.connect(url) as source, source.cursor() as cursor:
    target.execute("DROP TABLE IF EXISTS by_hand")
    target.execute(f"CREATE TABLE by_hand AS SELECT id, {features} FROM {{table}} WITH NO DATA")
    target.execute("ALTER TABLE by_hand ADD COLUMN score double precision")
    cursor.execute(f"SELECT id, {features} FROM {{table}}")
    layout = [("n", ">i2"), ("l0", ">i4"), ("id", ">i8")]
    for at in range({columns} + 1):
        layout += [(f"l{{at + 1}}", ">i4"), (f"v{{at}}", ">f8")]
    with target.cursor().copy("COPY by_hand FROM STDIN (FORMAT binary)") as copy:
        copy.write(b"PGCOPY\\n\\xff\\r\\n\\0" + bytes(8))
        for batch in cursor.fetch_record_batch():
            matrix = np.column_stack([batch.column(at + 1).to_numpy() for at in range({columns})])
            rows = np.zeros(len(matrix), layout)
            rows["n"], rows["l0"], rows["id"] = {columns} + 2, 8, batch.column(0).to_numpy()
            for at in range({columns}):
                rows[f"l{{at + 1}}"], rows[f"v{{at}}"] = 8, matrix[:, at]
            rows["l{last}"], rows["v{columns}"] = 8, booster.inplace_predict(matrix)
            copy.write(rows.tobytes())
        copy.write(b"\\xff\\xff")
"""
"""As short and as fast as a hand-written script gets where no value is NULL."""


def prepare(server: Server, folder: Path, rows: int) -> Path:
    """A table of that many rows, another of five times as many, a model; returns the model's own file."""
    with server.connect() as admin:
        admin.execute("SET synchronous_commit = off")
        admin.execute("SELECT setseed(0.5)")
        numbers = ", ".join(f"random() AS f{number}" for number in range(COLUMNS))
        admin.execute(
            f"CREATE TABLE small AS SELECT n AS id, {numbers} FROM generate_series(1::bigint, {rows}) AS s(n)"
        )
        admin.execute("CREATE TABLE large AS SELECT s.* FROM small s, generate_series(1, 5)")
        admin.execute("VACUUM ANALYZE small, large")
    train = f"SELECT {FEATURES}, f0 + 2 * f1 - f2 * f3 AS y FROM small LIMIT {TRAINED}"
    database = connect(server.url())
    succeed(database, f"{train} TO TRAIN xgboost.gbtree WITH objective='reg:squarederror' LABEL y INTO m")
    blocks = database.execute("SELECT content FROM sqlflow_model_blocks ORDER BY block")
    database.close()
    model = folder / "model.json"
    model.write_bytes(zlib.decompress(b"".join(content for (content,) in blocks)))
    return model


def median(costs: list[Cost], name: str) -> float:
    return statistics.median(getattr(cost, name) for cost in costs)


def main() -> None:
    """Measure on PostgreSQL."""
    postgres = programs()
    if postgres is None:
        print("no PostgreSQL on this machine", file=sys.stderr)
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with running(postgres) as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = prepare(server, folder, rows)
        url = server.url().replace("+psycopg", "")
        script = SCRIPT.format(features=FEATURES, columns=COLUMNS, last=COLUMNS + 1)

        def by_hand() -> Cost:
            return cost_of([sys.executable, "-c", script, url, "small", str(model)])

        def step(table: str) -> Cost:
            command = step_command(folder, PREDICT.format(table=table), "--statements", "1")
            return cost_of(command, step_env(folder, url))

        def made() -> Cost:
            with server.connect() as admin:
                admin.execute("DROP TABLE IF EXISTS predicted")
            return step("small")

        cases: dict[str, Callable[[], Cost]] = {"script": by_hand, "step": made, "replaced": lambda: step("small")}
        costs: dict[str, list[Cost]] = {case: [] for case in cases}
        for _ in range(ROUNDS):
            for case, run in cases.items():
                costs[case].append(run())
        same = "SELECT count(*) FROM by_hand JOIN predicted USING (id) WHERE by_hand.score = predicted.score"
        with server.connect() as admin:
            assert admin.execute(same).fetchone() == (rows,), "both predict the same"
        print(f"\nTO PREDICT, {rows} rows x {COLUMNS} (target for the time <= 1.15)")
        print(f"{'':>10} {'wall s':>8} {'ratio':>6} {'CPU s':>8} {'ratio':>6} {'MiB':>6}")
        for case, found in costs.items():
            wall, cpu = median(found, "wall"), median(found, "cpu")
            ratios = wall / median(costs["script"], "wall"), cpu / median(costs["script"], "cpu")
            memory = median(found, "peak") / 2**20
            print(f"{case:>10} {wall:>8.2f} {ratios[0]:>6.2f} {cpu:>8.2f} {ratios[1]:>6.2f} {memory:>6.0f}")
        print(f"{'5x rows':>10} {'':>31} {step('large').peak / 2**20:>6.0f}")


if __name__ == "__main__":
    main()
