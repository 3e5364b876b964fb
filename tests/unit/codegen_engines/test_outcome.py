"""A step's outcome as a Tekton result: it must fit into Tekton's own termination message, or the task fails for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlflow_codegen.contract import (
    TERMINATION_LOG_ENV,
    TERMINATION_MESSAGE_LIMIT,
    WRAPPED_LIMIT,
    Outcome,
    StepError,
    StepMetrics,
    StepModel,
    dump_outcome,
    parse_outcome,
    wrapped_size,
)
from sqlflow_runtime.recorder import write_termination_message

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
HARD = st.sampled_from(["<", '"', "\\", "\n", "é", "😀", "x", "&>"])
ERRORS = st.builds(
    StepError,
    statement=st.integers(0, 500),
    line=st.integers(1, 9999),
    column=st.integers(1, 999),
    title=TEXT,
    kind=st.just("database"),
    message=st.tuples(st.lists(HARD, max_size=4), st.integers(0, 256)).map(lambda many: "".join(many[0]) * many[1]),
    hint=TEXT,
)
METRICS = st.builds(StepMetrics, st.integers(1, 500), TEXT, st.dictionaries(TEXT, st.floats(0, 1), max_size=3))
MODELS = st.builds(StepModel, st.integers(1, 500), TEXT, st.integers(1, 99), TEXT)
OUTCOMES = st.builds(
    Outcome,
    error=st.none() | ERRORS,
    metrics=st.tuples(st.lists(METRICS, max_size=2), st.integers(1, 20)).map(lambda many: tuple(many[0] * many[1])),
    models=st.tuples(st.lists(MODELS, max_size=2), st.integers(1, 20)).map(lambda many: tuple(many[0] * many[1])),
    finished=st.integers(0, 300).map(lambda last: tuple(range(1, last))),
)


def go_json(value: object) -> str:
    """JSON as Go's encoder writes it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@given(OUTCOMES)
def test_it_fits_into_tektons_own_message(outcome: Outcome) -> None:
    text = dump_outcome(outcome, WRAPPED_LIMIT, wrapped_size)
    message = go_json(
        [
            {"key": "outcome", "value": text, "type": 1},
            {"key": "StartedAt", "value": "2026-11-24T11:58:56.248Z", "type": 3},
            {"key": "Reason", "value": "TimeoutExceeded", "type": 3},
            {"key": "ExitCode", "value": "143", "type": 3},
        ]
    )
    assert len(message.encode()) <= TERMINATION_MESSAGE_LIMIT
    read = parse_outcome(text)
    assert read is not None
    assert read.truncated or read == outcome


@given(TEXT)
def test_size_is_what_go_writes(text: str) -> None:
    slack = 3 * sum(map(text.count, "\u2028\u2029"))
    assert wrapped_size(text) + slack == len(go_json(text).encode())


@pytest.mark.parametrize("wrapped", [True, False])
def test_the_step_writes_it_where_the_engine_looks(
    wrapped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "outcome"
    if wrapped:
        monkeypatch.setenv(TERMINATION_LOG_ENV, str(path))
    else:
        monkeypatch.delenv(TERMINATION_LOG_ENV, raising=False)
        monkeypatch.setattr("sqlflow_runtime.recorder.TERMINATION_LOG", str(path))
        path.touch()
    error = StepError(1, 1, 1, "SELECT", "database", "<" * 1024)
    write_termination_message(Outcome(error=error, finished=(1, 2)))
    read = parse_outcome(path.read_text(encoding="utf-8"))
    assert read is not None
    assert read.error is not None
    assert read.truncated is wrapped
    assert read.error.message.startswith("<<<<")
