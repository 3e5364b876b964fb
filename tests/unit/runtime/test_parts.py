"""Small parts: selections, names, records, threads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlflow_codegen.contract import StepError, dump_record
from sqlflow_runtime.errors import RunError, exit_code, listed
from sqlflow_runtime.ml.threads import processors
from sqlflow_runtime.recorder import LOG_LIMIT, STEP_LOG_LIMIT, Recorder, json_lines
from sqlflow_runtime.selection import parse_selection


@pytest.mark.parametrize(
    ("text", "expected"), [("1", (1,)), ("3-5,7", (3, 4, 5, 7)), (" 2 , 1 ", (2, 1)), ("7-7", (7,))]
)
def test_selections(text: str, expected: tuple[int, ...]) -> None:
    assert parse_selection(text, 7) == expected


@pytest.mark.parametrize("text", ["", "0", "8", "2-9", "5-3", "a", "1,,2", "-1", "1-"])
def test_bad_selections(text: str) -> None:
    with pytest.raises(RunError):
        parse_selection(text, 7)


def collected() -> tuple[Recorder, list[dict[str, Any]]]:
    records: list[dict[str, Any]] = []
    return Recorder(records.append, lambda text: text.replace("secret", "***")), records


def test_secrets_are_scrubbed_from_words_but_not_from_rows() -> None:
    recorder, records = collected()
    recorder.log("info", "the secret")
    recorder.emit("row", statement=1, values=["the secret"])
    recorder.error(StepError(1, 1, 1, "t", "database", "a secret", "no secret"))
    assert [r.get("message") for r in records] == ["the ***", None, "a ***"]
    assert records[1]["values"] == ["the secret"]
    assert recorder.outcome().error == StepError(1, 1, 1, "t", "database", "a ***", "no ***")


def test_logs_are_bounded_for_each_statement() -> None:
    recorder, records = collected()
    recorder.started(1)
    for _ in range(LOG_LIMIT // 1000 + 50):
        recorder.log("info", "x" * 1000)
    recorder.finished(0, 0.1)
    logs = [record for record in records if record["type"] == "log"]
    assert sum(len(record["message"]) for record in logs) <= LOG_LIMIT + 2000
    assert "further lines are not shown" in logs[-1]["message"]
    recorder.started(2)
    recorder.log("info", "heard again")
    assert records[-1]["message"] == "heard again"


def test_logs_are_bounded_for_the_step_as_a_whole() -> None:
    """Whatever they hold: a control character takes six bytes, an emoji four."""
    recorder, records = collected()
    for statement in range(1, 13):
        recorder.started(statement)
        for _ in range(700):
            recorder.log("info", "\x01😀" * 100)
        recorder.emit("row", statement=statement, values=[statement])
        recorder.finished(0, 0.1)
    recorder.end()
    recorder.log("info", "nobody hears it")
    size = sum(len(dump_record(record).encode()) for record in records if record["type"] == "log")
    assert STEP_LOG_LIMIT * 0.7 < size < STEP_LOG_LIMIT + 12 * 500
    assert [record["values"] for record in records if record["type"] == "row"] == [[n] for n in range(1, 13)]
    assert "700 further lines" in [record for record in records if record["type"] == "log"][-1]["message"]
    assert records[-1] == {"type": "end"}


def test_half_a_surrogate_pair_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with path.open("w", encoding="utf-8") as stream:
        json_lines(stream)({"type": "row", "values": ["\ud800 é"]})
    assert path.read_text() == '{"type":"row","values":["\\ud800 \\u00e9"],"n":1}\n'


def test_helpers_of_messages() -> None:
    assert listed(["a", "b", "c"], 2) == "a, b and 1 more"


def test_exit_codes_say_whether_another_attempt_can_help() -> None:
    kinds = ("database", "memory", "internal", "data", "model", "estimator", "usage", "connection", "lost", "stopped")
    assert [exit_code(RunError(kind, "")) for kind in kinds] == [4, 4, 4, 1, 1, 1, 2, 3, 5, 143]
    assert exit_code(RunError("database", "", final=True)) == 1


@pytest.mark.parametrize(
    ("quota", "expected"), [("150000 100000", 2), ("50000 100000", 1), ("max 100000", None), ("x", None)]
)
def test_processors_of_a_container(tmp_path: Path, quota: str, expected: int | None) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(quota)
    everything = processors(tmp_path / "missing")
    assert processors(tmp_path) == min(expected or everything, everything)


@pytest.mark.parametrize(("quota", "expected"), [("20000", 1), ("100000", 1), ("150000", 2), ("-1", None)])
def test_processors_of_a_container_on_an_older_node(tmp_path: Path, quota: str, expected: int | None) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    everything = processors(tmp_path / "missing")
    assert processors(tmp_path) == min(expected or everything, everything)


def test_boosters_are_used_without_scikit_learn() -> None:
    """Its import costs more than all the rest of a step with a booster."""
    code = (
        "import sys, sqlflow_runtime.ml.train, sqlflow_runtime.ml.predict, sqlflow_runtime.ml.evaluate, "
        "sqlflow_runtime.ml.xgboost_training as t; "
        "print([name for name in ('sklearn', 'scipy.stats', 'scipy.optimize', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "[]\n"
