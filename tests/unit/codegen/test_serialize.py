"""Programs as JSON and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlflow_codegen.errors import SQLFlowError
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.language.serialize import from_json, to_json

EVERYTHING = """\
CREATE TABLE t (a int);
SELECT a, b FROM t TO TRAIN image/Own WITH a=1, b=-1.5, c=true, d='it''s', e=[[1, 'x'], [], 2.5]
COLUMN a, "b c", *, CROSS([a, BUCKET(b, [1, 2.5])], 10), DENSE(a, [2, 3]) FOR x COLUMN c LABEL b USING o INTO m;
SELECT a FROM t TO TRAIN unknown.Estimator INTO n;
SELECT a FROM t TO PREDICT "T".a.b WITH predict.extra_outputs='x' USING m;
SELECT a FROM t TO EVALUATE m WITH validation.metrics='f1_score' LABEL b INTO e;
SELECT a FROM t TO EXPLAIN m WITH summary.sort=false USING TreeExplainer INTO x;
SELECT a FROM t TO RUN a/b:c CMD 'x', 'y' INTO o, p;
SELECT a FROM t TO MINIMIZE -SUM(a * (2 - "b c")) CONSTRAINT SUM(a) >= 1 GROUP BY g, a <= 1e3
WITH variables='v(a,b)', var_type=Reals USING glpk INTO r;
SHOW TRAIN m
"""


def test_round_trip_of_everything() -> None:
    program = parse_program(EVERYTHING)
    assert {statement.kind for statement in program} == {
        "sql", "train", "predict", "evaluate", "explain", "run", "optimize", "show",
    }  # fmt: skip
    assert program.warnings != ()
    data = json.loads(json.dumps(to_json(program)))
    assert from_json(data) == program
    assert to_json(from_json(data)) == data


def test_numbers_keep_their_types() -> None:
    data = json.loads(json.dumps(to_json(parse_program("SELECT 1 TO TRAIN i/O WITH a=1, b=1.0, c=true INTO m"))))
    values = [attribute.value for attribute in from_json(data).statement(1).attributes]  # type: ignore[attr-defined]
    assert [(type(value), value) for value in values] == [(int, 1), (float, 1.0), (bool, True)]


@pytest.mark.parametrize(
    "change",
    [
        {"version": 3},
        {"statements": [{"type": "nonsense"}]},
        {"statements": [{"type": "sql"}]},
        {"statements": [{}]},
        {"statements": 1},
        {"statements": [{"type": "sql", "number": 1, "text": "", "span": [1], "verb": ""}]},
        {"warnings": None},
    ],
)
def test_other_data_is_refused(change: dict[str, Any]) -> None:
    data = {**to_json(parse_program("SELECT 1")), **change}
    with pytest.raises(SQLFlowError):
        from_json(data)


@pytest.mark.parametrize("missing", ["version", "text", "dialect", "statements", "warnings"])
def test_missing_data_is_refused(missing: str) -> None:
    data = to_json(parse_program("SELECT 1"))
    del data[missing]
    with pytest.raises(SQLFlowError):
        from_json(data)
