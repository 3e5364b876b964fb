"""What every backend must do alike: programs, what happens to their runs, and the one outcome that each must have.

Pure data. `test_conformance` runs every case on every backend of a real cluster, `test_replay` plays what the engines
did then to the operator again. Where an engine cannot give the same, `differences` says what it gives and why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlflow_codegen.language import parse_program

from tests.hostile import HOSTILE_TEXTS, literal

TABLE = "case_table"
"""Stands in programs, queries and messages for the table that a run has for itself."""

Rows = tuple[tuple[Any, ...], ...]


class Action(StrEnum):
    """What is done to a run from outside."""

    NONE = "none"
    CANCEL = "cancel"
    RESUME = "resume"
    DELETE_POD = "delete-pod"
    FORCE_DELETE_POD = "force-delete-pod"
    """With no time to end: the pod is gone from the API server while its process goes on."""


@dataclass(frozen=True)
class Step:
    """How a step must end; `attempts` None where timing decides."""

    name: str
    phase: str = "Succeeded"
    attempts: int | None = 1


@dataclass(frozen=True)
class Expected:
    """The outcome of a case.

    Attributes:
        steps: the steps in order.
        phase: of the job.
        reason: of its condition Complete or Failed.
        message: a pattern found in its message.
        query: asked of the database after the end.
        stored: what the database answers, as text.
        shown: the rows that `fetch` delivers, typed, in their order.
        earlier: reason and pattern of the message of a status that was there before the end.
        overlap: names of two steps that must have run at the same time.
        metrics: names of what was measured.
        models: names and versions of what was trained.
        ended: a statement that the database must not be executing any more.
        digests: whether the database kept of each statement the SHA-256 of its text, as it got it, in (n, digest).
        statement: number of the statement that the error names which `fetch` raises; 0 for none.
        words: the database's own words in that error.
        fetched: a pattern found in this error's message; "" for that of the job's.
    """

    steps: tuple[Step, ...]
    phase: str = "Succeeded"
    reason: str = "Succeeded"
    message: str = r"^(\d+) of \1 steps done in "
    query: str = ""
    stored: tuple[tuple[str, ...], ...] = ()
    shown: Rows = ()
    earlier: tuple[str, str] | None = None
    overlap: tuple[str, str] | None = None
    metrics: frozenset[str] = frozenset()
    models: tuple[tuple[str, int], ...] = ()
    ended: str = ""
    digests: bool = False
    statement: int = 0
    words: str = ""
    fetched: str = ""


@dataclass(frozen=True)
class Case:
    """A program, how it is run, and its outcome.

    The action is taken while the step `at` runs and, where it matters, the database executes the statement `during`.
    """

    name: str
    program: str
    expected: Expected
    spec: Mapping[str, Any] = field(default_factory=dict)
    setup: str = ""
    action: Action = Action.NONE
    at: str = ""
    during: str = ""

    def digests(self, table: str) -> list[list[str]]:
        """Number and SHA-256 of each statement after the first, as the manifest has it."""
        statements = list(parse_program(self.program.replace(TABLE, table)))[1:]
        return [[str(s.number), hashlib.sha256(s.text.encode()).hexdigest()] for s in statements]


OFF = {"fusion": "Off"}
"""A step for each statement, so that every backend has the same steps."""

_DIGEST = "encode(sha256(convert_to(current_query(), 'UTF8')), 'hex')"
_TEXTS = f"CREATE TABLE {TABLE} (n int, t text, digest text);\n"

_MISSING = f'relation "{TABLE}_missing" does not exist'
_SEQUENCE = f"CREATE TABLE {TABLE} (n int); CREATE SEQUENCE {TABLE}_seq"
_ONCE_SLOW = f"INSERT INTO {TABLE} SELECT 2 FROM pg_sleep(CASE WHEN nextval('{TABLE}_seq') = 1 THEN 300 ELSE 0 END)"
"""Takes minutes, unless it was begun before: a sequence forgets nothing when a transaction is rolled back."""
_SLOW_ROW = (
    "SELECT n, pg_sleep(CASE WHEN n = 1 THEN 300 ELSE 0 END)::text\n"
    f"FROM (SELECT nextval('{TABLE}_seq') AS n OFFSET 0) numbered"
)
"""The same, as one row."""


def _store(texts: list[str]) -> str:
    """A program whose statements have the database keep a text and the digest of the statement itself."""
    return _TEXTS + "".join(
        f"INSERT INTO {TABLE} SELECT {number}, {literal(text)}, {_DIGEST};\n" for number, text in enumerate(texts, 2)
    )


CASES: tuple[Case, ...] = (
    Case(
        "parallel",
        f"CREATE TABLE {TABLE}_a AS SELECT 'a' AS x FROM pg_sleep(4);\n"
        f"CREATE TABLE {TABLE}_b AS SELECT 'b' AS x FROM pg_sleep(4);\n"
        f"SELECT a.x AS a, b.x AS b FROM {TABLE}_a a, {TABLE}_b b;\n",
        Expected(
            (Step("s1-sql"), Step("s2-sql"), Step("s3-sql")),
            query=f"SELECT a.x, b.x FROM {TABLE}_a a, {TABLE}_b b",
            stored=(("a", "b"),),
            shown=(("a", "b"),),
            overlap=("s1-sql", "s2-sql"),
        ),
        OFF,
    ),
    Case(
        "failing",
        f"CREATE TABLE {TABLE} (n int);\nINSERT INTO {TABLE} SELECT n FROM {TABLE}_missing;\nSELECT n FROM {TABLE};\n",
        Expected(
            (Step("s1-sql"), Step("s2-sql", "Failed"), Step("s3-sql", "Skipped", 0)),
            "Failed",
            "StepFailed",
            rf"^Step s2-sql failed: statement 2 \(INSERT INTO {TABLE}\) at 2:\d+: {_MISSING}",
            query=f"SELECT count(*) FROM {TABLE}",
            stored=(("0",),),
            statement=2,
            words=_MISSING,
        ),
        OFF,
    ),
    Case(
        "retried",
        f"INSERT INTO {TABLE} VALUES (1);\n"
        f"INSERT INTO {TABLE} SELECT {TABLE}_two();\n"
        f"SELECT n FROM {TABLE} ORDER BY n;\n",
        Expected(
            (Step("s1-sql"), Step("s2-sql", attempts=2), Step("s3-sql")),
            query=f"SELECT n FROM {TABLE} ORDER BY n",
            stored=(("1",), ("2",)),
            shown=((1,), (2,)),
        ),
        {**OFF, "retries": 2},
        setup=f"{_SEQUENCE};\n"
        # The first attempt fails with what another one may not meet, as of two transactions that change the same row.
        f"CREATE FUNCTION {TABLE}_two() RETURNS int LANGUAGE plpgsql AS $$ BEGIN IF nextval('{TABLE}_seq') = 1\n"
        "THEN RAISE 'could not serialize access' USING ERRCODE = '40001'; END IF; RETURN 2; END $$",
    ),
    Case(
        "cancelled",
        f"INSERT INTO {TABLE} VALUES (1);\nSELECT n, pg_sleep(300) FROM {TABLE};\nINSERT INTO {TABLE} VALUES (2);\n",
        Expected(
            (Step("s1-sql"), Step("s2-sql", "Failed"), Step("s3-sql", "Skipped", 0)),
            "Failed",
            "Cancelled",
            "^Step s2-sql failed: it was cancelled$",
            query=f"SELECT n FROM {TABLE}",
            stored=(("1",),),
            ended=f"SELECT n, pg_sleep(300) FROM {TABLE}",
        ),
        OFF,
        setup=f"CREATE TABLE {TABLE} (n int)",
        action=Action.CANCEL,
        at="s2-sql",
        during=f"SELECT n, pg_sleep(300) FROM {TABLE}",
    ),
    Case(
        "suspended",
        f"CREATE TABLE {TABLE} AS SELECT 7 AS n;\nSELECT n FROM {TABLE};\n",
        Expected(
            (Step("s1-sql"),),
            query=f"SELECT n FROM {TABLE}",
            stored=(("7",),),
            shown=((7,),),
            earlier=("Suspended", "set spec.suspend to false to start it"),
        ),
        {"suspend": True},
        action=Action.RESUME,
    ),
    Case(
        "deadline",
        f"CREATE TABLE {TABLE} AS SELECT 1 AS n FROM pg_sleep(300);\nSELECT n FROM {TABLE};\n",
        Expected(
            (Step("s1-sql", "Failed", None), Step("s2-sql", "Skipped", 0)),
            "Failed",
            "DeadlineExceeded",
            "^Step s1-sql failed: statement 1 .* the run took longer than spec.activeDeadlineSeconds allows",
            ended=f"CREATE TABLE {TABLE} AS SELECT 1 AS n FROM pg_sleep(300)",
            # Where the pod is gone, fetch knows neither that the step had begun nor the program's text.
            fetched="^Step s1-sql failed: .*took longer than spec.activeDeadlineSeconds allows",
        ),
        {**OFF, "activeDeadlineSeconds": 12},
    ),
    Case(
        "missing-image",
        "SELECT 1 AS n;\n",
        Expected(
            (Step("s1-sql", "Failed", 0),),
            "Failed",
            "DeadlineExceeded",
            " took longer than spec.activeDeadlineSeconds allows",
            earlier=("ImagePull", r"localhost/no-such-image:1.*Check spec\.image"),
        ),
        {"image": "localhost/no-such-image:1", "activeDeadlineSeconds": 25},
    ),
    Case(
        "out-of-memory",
        f"CREATE TABLE {TABLE} (n int);\n-- one value of 600 MB\nSELECT repeat('x', 600000000);\n",
        Expected(
            (Step("s1-sql"), Step("s2-sql", "Failed")),
            "Failed",
            "OutOfMemory",
            r"^Step s2-sql failed: .*out of memory.*120Mi.*spec\.resources\.limits\.memory",
            query=f"SELECT count(*) FROM {TABLE}",
            stored=(("0",),),
        ),
        {**OFF, "resources": {"limits": {"memory": "120Mi"}}},
    ),
    Case(
        "hostile",
        _store(list(HOSTILE_TEXTS.values())) + f"SELECT t FROM {TABLE} ORDER BY n;\n",
        Expected((Step("s1-sql"),), shown=tuple((text,) for text in HOSTILE_TEXTS.values()), digests=True),
    ),
    Case(
        "large",
        # Statements number 2 to 200, of 1600 characters each: 310 KiB.
        _store([f"{number:04}" * 400 for number in range(2, 201)]),
        Expected(
            (Step("s1-sql"),),
            query=f"SELECT count(*), sum(length(t)) FROM {TABLE}",
            stored=(("199", str(199 * 1600)),),
            digests=True,
        ),
    ),
    Case(
        "trained",
        f'SELECT * FROM iris.train\nTO TRAIN xgboost.gbtree\nWITH objective="multi:softmax", num_class=3\nLABEL class\n'
        f"INTO {TABLE}_model;\n"
        f'SELECT * FROM iris.test\nTO EVALUATE {TABLE}_model\nWITH validation.metrics="accuracy_score"\nLABEL class\n'
        f"INTO {TABLE};\n"
        f"SELECT count(*) AS n FROM {TABLE};\n",
        Expected(
            (Step("s1-train"), Step("s2-evaluate"), Step("s3-sql")),
            query=f"SELECT accuracy_score > 0.8 FROM {TABLE}",
            stored=(("t",),),
            shown=((1,),),
            metrics=frozenset({"loss", "accuracy_score"}),
            models=((f"{TABLE}_model", 1),),
        ),
    ),
    Case(
        "deleted-pod",
        f"INSERT INTO {TABLE} VALUES (1);\n{_SLOW_ROW};\nINSERT INTO {TABLE} VALUES (3);\n",
        Expected(
            (Step("s1-sql", attempts=2),),
            query=f"SELECT n FROM {TABLE} ORDER BY n",
            stored=(("1",), ("3",)),
            shown=((2, ""),),
        ),
        {"retries": 2},
        setup=_SEQUENCE,
        action=Action.DELETE_POD,
        at="s1-sql",
        during=_SLOW_ROW,
    ),
    Case(
        "failure-beside",
        f"CREATE TABLE {TABLE}_a AS SELECT 1 AS n FROM pg_sleep(25);\n"
        # Divides by the length of nothing, after a time in which the other step has begun.
        f"CREATE TABLE {TABLE}_b AS SELECT 1 / length(pg_sleep(8)::text) AS n;\n"
        f"CREATE TABLE {TABLE}_c AS SELECT n FROM {TABLE}_a;\n",
        Expected(
            (Step("s1-sql"), Step("s2-sql", "Failed"), Step("s3-sql", "Skipped", 0)),
            "Failed",
            "StepFailed",
            rf"^Step s2-sql failed: statement 2 \(CREATE TABLE {TABLE}_b\) at 2:\d+: division by zero",
            # What ran beside the failure was let end, and nothing was started after it.
            query=f"SELECT right(tablename, 2) FROM pg_tables WHERE tablename LIKE '{TABLE}%'",
            stored=(("_a",),),
            earlier=("Running", "^Step s2-sql failed: .*division by zero.*; running step s1-sql"),
            statement=2,
            words="division by zero",
        ),
        OFF,
    ),
    Case(
        "interrupted",
        f"INSERT INTO {TABLE} VALUES (1);\n{_ONCE_SLOW};\nINSERT INTO {TABLE} VALUES (3);\n",
        Expected(
            (Step("s1-sql"), Step("s2-sql", "Failed"), Step("s3-sql", "Skipped", 0)),
            "Failed",
            "PodLost",
            rf"^Step s2-sql failed: statement 2 \(INSERT INTO {TABLE}\) at 2:1 was interrupted: ",
            query=f"SELECT n FROM {TABLE}",
            stored=(("1",),),
            ended=_ONCE_SLOW,
        ),
        OFF,
        setup=_SEQUENCE,
        action=Action.DELETE_POD,
        at="s2-sql",
        during=_ONCE_SLOW,
    ),
    Case(
        "lost-pod",
        # One step: begun again it would insert its first row twice, and end well.
        f"INSERT INTO {TABLE} VALUES (1);\n{_ONCE_SLOW};\nINSERT INTO {TABLE} VALUES (3);\n",
        Expected(
            (Step("s1-sql", "Failed", 2),),
            "Failed",
            "PodLost",
            r"^Step s1-sql failed: statements? \d.* (was|were) interrupted: ",
            query=f"SELECT n FROM {TABLE}",
            stored=(("1",),),
            ended=_ONCE_SLOW,
        ),
        setup=_SEQUENCE,
        action=Action.FORCE_DELETE_POD,
        at="s1-sql",
        during=_ONCE_SLOW,
    ),
    Case(
        "retries-in-vain",
        f"INSERT INTO {TABLE} VALUES (1);\nINSERT INTO {TABLE} SELECT n FROM {TABLE}_missing;\n",
        Expected(
            (Step("s1-sql"), Step("s2-sql", "Failed")),
            "Failed",
            "StepFailed",
            rf"^Step s2-sql failed: statement 2 \(INSERT INTO {TABLE}\) at 2:\d+: {_MISSING}",
            query=f"SELECT n FROM {TABLE}",
            stored=(("1",),),
            statement=2,
            words=_MISSING,
        ),
        {**OFF, "retries": 2},
        setup=f"CREATE TABLE {TABLE} (n int)",
    ),
)

BY_NAME: Mapping[str, Case] = {case.name: case for case in CASES}
