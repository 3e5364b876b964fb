"""A program that is split into steps, each a `sqlflow-step` of its own, gives what it gives in one session."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from sqlflow_codegen.graph import Ordering, plan_steps
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.manifests import own_arguments
from sqlflow_codegen.ranges import format_ranges

from tests.databases.harness import connect, run_step

PROGRAMS = [
    (
        "postgres",
        "CREATE SCHEMA two; ALTER ROLE CURRENT_USER SET search_path = two; CREATE TABLE t (a int);"
        "INSERT INTO t VALUES (1); SELECT count(*) FROM public.t; ALTER ROLE CURRENT_USER RESET search_path",
    ),
    (
        "postgres",
        "CREATE SCHEMA s; CREATE TABLE s.t (a int); CREATE VIEW pv AS SELECT * FROM s.t; INSERT INTO s.t VALUES (1);"
        "ALTER SCHEMA s RENAME TO s2; INSERT INTO s2.t VALUES (2);"
        "CREATE TABLE rep AS SELECT count(*) - 1 AS n FROM pv;"
        "SELECT n FROM rep",
    ),
    (
        "mysql",
        "CREATE TABLE t (a varchar(9)); SET GLOBAL sql_mode = 'ANSI_QUOTES'; INSERT INTO t VALUES (\"x\");"
        "SELECT count(*) FROM t; SET GLOBAL sql_mode = DEFAULT",
    ),
    (
        "sqlite",
        "CREATE TABLE t (a); ATTACH ':memory:' AS m; CREATE TABLE m.x AS SELECT 1 AS a;"
        "INSERT INTO t SELECT a FROM m.x;"
        "SELECT a FROM t",
    ),
    (
        "sqlite",
        "ATTACH '{folder}/f' AS b; ATTACH '{folder}/f' AS c; CREATE TABLE b.t (a); INSERT INTO b.t VALUES (1);"
        "SELECT a FROM c.t",
    ),
    (
        "duckdb",
        "COPY (SELECT 1 AS a) TO '{folder}/v.csv' (HEADER); CREATE VIEW v AS SELECT * FROM '{folder}/v.csv';"
        "CREATE TABLE x AS SELECT * FROM v; COPY (SELECT 2 AS a) TO '{folder}/v.csv' (HEADER);"
        "CREATE TABLE y AS SELECT * FROM v; SELECT y.a - x.a FROM x, y",
    ),
    ("duckdb", "ATTACH ':memory:' AS m; USE m; CREATE TABLE x AS SELECT 1 AS a; SELECT a FROM x"),
]


@pytest.mark.database
@pytest.mark.parametrize("ordering", [Ordering.CONSERVATIVE, Ordering.LINEAGE])
@pytest.mark.parametrize(("dialect", "text"), PROGRAMS)
def test_the_last_ready_step_first(
    request: pytest.FixtureRequest, tmp_path: Path, dialect: str, text: str, ordering: Ordering
) -> None:
    served = dialect in ("postgres", "mysql")
    url = request.getfixturevalue(f"{dialect}_url") if served else f"{dialect}:///{tmp_path}/db"
    text = text.replace("{folder}", str(tmp_path))
    waiting = list(plan_steps(parse_program(text, dialect), ordering, fusion=False))
    shown: list[object] = []
    try:
        while waiting:
            names = {step.name for step in waiting}
            step = [step for step in waiting if names.isdisjoint(step.after)][-1]
            waiting.remove(step)
            own = [part for key, value in own_arguments(step).items() for part in (f"--{key}", value)]
            done = run_step(tmp_path, url, text, "--statements", format_ranges(step.statements), *own, dialect=dialect)
            assert done.code == 0, done.stdout
            shown += [record["values"] for record in done.of("row")]
    finally:
        if "GLOBAL" in text or "ROLE" in text:
            with closing(connect(url)) as database:
                database.execute(text.rpartition(";")[2])
    assert shown == [[1]]
