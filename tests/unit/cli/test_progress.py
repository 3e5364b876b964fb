"""`sqlflow run` shows how far a training is: in a log now and then, on a terminal beside the statement's time."""

from __future__ import annotations

import io
from typing import Any

import pytest
from sqlflow_cli import record_printer
from sqlflow_cli.pictures import Pictures
from sqlflow_cli.record_printer import RecordPrinter
from sqlflow_codegen.language import parse_program

TRAIN = "SELECT * FROM t TO TRAIN xgboost.gbtree LABEL y INTO m;"


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch, seconds: float) -> str:
    """The output of a training of 30 rounds, each taking so many seconds."""
    now = [0.0]
    monkeypatch.setattr(record_printer.time, "monotonic", lambda: now[0])
    pictures = Pictures("program", None, expected=False)
    printer = RecordPrinter(stream, parse_program(TRAIN, "duckdb"), [1], pictures, verbose=False)
    started: dict[str, Any] = {"type": "statement_started", "statement": 1, "title": "TO TRAIN", "line": 1}
    printer.show(started)
    for iteration in range(1, 31):
        now[0] += seconds
        values = {"train-rmse": 1 / iteration}
        record = {"statement": 1, "iteration": iteration, "total": 30, "unit": "round", "values": values}
        printer.show({"type": "progress", **record})
    printer.show({"type": "model", "statement": 1, "name": "m", "version": 1, "estimator": "xgboost.gbtree"})
    printer.show({"type": "statement_finished", "statement": 1, "rows": 5, "seconds": 30 * seconds})
    return stream.getvalue()


def test_a_log_gets_a_line_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(io.StringIO(), monkeypatch, 1.0).splitlines()
    rounds = [line.strip() for line in lines if line.strip().startswith("round")]
    assert [line.split()[1] for line in rounds] == ["10/30", "20/30", "30/30"]
    assert rounds[0] == "round 10/30 train-rmse 0.1"
    assert "m, version 1  round 30/30 train-rmse 0.03333" in lines[-1]


def test_a_short_training_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(io.StringIO(), monkeypatch, 0.01).splitlines()
    assert not [line for line in lines if line.strip().startswith("round")]
    assert "round 30/30" in lines[-1]


def test_a_terminal_shows_the_latest_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    text = shown(Terminal(), monkeypatch, 1.0)
    assert not [line for line in text.splitlines() if line.strip().startswith("round")]
    assert "m, version 1  round 30/30 train-rmse 0.03333" in text
