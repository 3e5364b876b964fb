"""How long a program takes from its text to its steps, and how that grows, against sqlglot's bare parse of its SQL.

Run it with `make bench`, or `python tests/bench/bench_graph.py`. Nothing is asserted: clocks differ, ratios are for
people. Targets: time per statement at 10,000 statements at most 1.15 times that at 1,000; all of it at most 2.5 times
as long as sqlglot's parse alone. The same text is parsed in the same run, without the clauses of model statements,
which sqlglot does not know.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

import sqlglot
from sqlflow_codegen.graph import Ordering, plan
from sqlflow_codegen.language import parse_program

SIZES = (100, 1_000, 10_000)
ROUNDS = 3

MIXES = {
    "pipelines": [
        "CREATE TABLE t{n} AS SELECT a.id, a.v + b.v AS v, count(*) AS c FROM s{k} AS a JOIN u{k} AS b ON a.id = b.id "
        "WHERE a.v > {n} GROUP BY 1, 2",
        "INSERT INTO log{k} SELECT id, v FROM t{n} WHERE v > 10 AND id IN (SELECT id FROM t{half})",
        "UPDATE t{n} SET v = v * 2, c = CASE WHEN c > 3 THEN 0 ELSE c + 1 END WHERE id % 7 = 0",
        "SELECT id, v FROM t{n} TO TRAIN xgboost.gbtree WITH objective='reg:squarederror' LABEL v INTO m{n}",
    ],
    "short statements": [
        "INSERT INTO t{k} VALUES ({n}, 'text')",
        "SELECT * FROM t{k}",
        "DELETE FROM u{k} WHERE id = {n}",
        "SELECT count(*) FROM u{k}",
    ],
    "views and sessions": [
        "CREATE VIEW v{n} AS SELECT * FROM t{k} WHERE x = {n}",
        "SET search_path = s{k}",
        "SELECT * FROM v{n} JOIN public.t{k} USING (x)",
        "UPDATE public.t{k} SET x = x + 1",
    ],
}


def program(mix: list[str], statements: int) -> str:
    """The mix, over and over."""
    rows = range(statements)
    return ";\n".join(mix[n % len(mix)].format(n=n // len(mix), k=n % 9, half=n // 2 // len(mix)) for n in rows) + ";"


def seconds(action: Callable[[], object], rounds: int) -> float:
    """The best time of an action: what else the machine does only adds."""
    times = []
    for _ in range(rounds):
        gc.collect()
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def measure(text: str, ordering: Ordering) -> tuple[float, float]:
    """Seconds for parse, graph and steps, and for sqlglot's parse alone."""
    bare = ";\n".join(each.split(" TO TRAIN ")[0] for each in text.split(";\n"))
    ours = seconds(lambda: plan(parse_program(text), ordering), ROUNDS)
    return ours, seconds(lambda: sqlglot.parse(bare, read="postgres"), ROUNDS)


def main() -> None:
    """Print a table for each mix of statements."""
    plan(parse_program("SELECT 1"))
    for name, mix in MIXES.items():
        print(f"\n{name}: parse + graph + steps")
        print(f"{'statements':>12} {'seconds':>9} {'us each':>9} {'growth':>8} {'sqlglot':>9} {'ratio':>7}")
        before = 0.0
        for size in SIZES:
            ours, bare = measure(program(mix, size), Ordering.CONSERVATIVE)
            growth = f"{ours / size / before:.2f}" if before else ""
            before = ours / size
            print(f"{size:>12,} {ours:>9.3f} {before * 1e6:>9.0f} {growth:>8} {bare:>9.3f} {ours / bare:>7.2f}")


if __name__ == "__main__":
    main()
