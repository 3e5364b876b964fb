"""Progress records of a training, and the curve that is stored with its model."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlflow_codegen.contract import Outcome, StepError, dump_outcome, parse_outcome, utf8_size
from sqlflow_codegen.progress import VALUES_LIMIT, StepProgress
from sqlflow_runtime.ml.curve import ITERATION, POINTS_LIMIT, CurveRecorder, check_curve
from sqlflow_runtime.recorder import Recorder


class Records:
    """A recorder with a clock by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.all: list[dict[str, Any]] = []
        self.recorder = Recorder(self.all.append, monotonic=lambda: self.now)
        self.recorder.started(3)

    def train(self, iterations: int, seconds: float) -> None:
        for iteration in range(1, iterations + 1):
            self.recorder.progress(iteration, iterations, {"error": 1 / iteration}, "round")
            self.now += seconds

    def shown(self) -> list[int]:
        return [record["iteration"] for record in self.all if record["type"] == "progress"]


def test_one_a_second_and_the_last() -> None:
    records = Records()
    records.train(20, 0.125)
    assert records.shown() == [1, 9, 17]
    records.recorder.finished(5, 2.5)
    assert records.shown() == [1, 9, 17, 20]
    assert [record["type"] for record in records.all[-2:]] == ["progress", "statement_finished"]
    assert records.recorder.outcome().progress == StepProgress(3, 20, 20, "round", {"error": 0.05})


def test_the_last_comes_before_an_error_too() -> None:
    records = Records()
    records.train(5, 0.1)
    records.recorder.error(StepError(3, 1, 1, "t", "estimator", "no"))
    assert [record["type"] for record in records.all[-2:]] == ["progress", "error"]
    assert records.shown() == [1, 5]


def test_a_training_of_days_does_not_fill_its_log() -> None:
    records = Records()
    records.train(200_000, 1.0)
    assert 2000 < len(records.shown()) < 5000


def test_numbers_that_no_record_can_carry_are_left_out() -> None:
    records = Records()
    values = {"nan": float("nan"), "inf": float("inf"), "b": 2.0} | {f"m{n}": 1.0 for n in range(50)}
    records.recorder.progress(1, 0, values, "epoch")
    shown = records.all[-1]["values"]
    assert len(shown) == VALUES_LIMIT
    assert list(shown)[:2] == ["b", "m0"]


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (StepProgress(1, 3, 10, "round", {"train-rmse": 0.123456, "b": 1e-9}), "round 3/10 train-rmse 0.1235 b 1e-09"),
        (StepProgress(1, 3, 0, "epoch"), "epoch 3"),
    ],
)
def test_its_words(progress: StepProgress, words: str) -> None:
    assert progress.words == words


def test_the_outcome_gives_it_up_first() -> None:
    progress = StepProgress(1, 3, 10, "round", {"a" * 40: 1.0})
    outcome = Outcome(finished=(1, 2), progress=progress)
    assert parse_outcome(dump_outcome(outcome)) == outcome
    small = dump_outcome(outcome, utf8_size(dump_outcome(outcome)) - 1)
    assert parse_outcome(small) == Outcome(finished=(1, 2))
    unknown = dump_outcome(outcome).replace('"round"', '"lightyear"')
    assert parse_outcome(unknown) == Outcome(finished=(1, 2))


@given(st.integers(1, 5000), st.integers(1, 7))
def test_a_curve_is_bounded_and_keeps_the_ends(count: int, step: int) -> None:
    curve = CurveRecorder()
    for iteration in range(1, count * step + 1, step):
        curve.add(iteration, {"error": float(iteration)} | ({"late": 1.0} if iteration > count else {}))
    found = check_curve(curve.curve())
    iterations = found[ITERATION]
    assert len(iterations) <= POINTS_LIMIT
    assert (iterations[0], iterations[-1]) == (1, (count - 1) * step + 1)
    assert found["error"] == iterations
    assert count < POINTS_LIMIT or len(iterations) > POINTS_LIMIT / step / 3
    if count < POINTS_LIMIT:
        assert len(iterations) == count


def test_nothing_measured_is_no_curve() -> None:
    curve = CurveRecorder()
    assert curve.curve() == {}
    curve.add(1, {"error": float("nan")})
    assert curve.curve() == {}


@pytest.mark.parametrize(
    "damaged",
    [
        [],
        {"error": [1.0]},
        {ITERATION: []},
        {ITERATION: [1, 1], "error": [1.0, 2.0]},
        {ITERATION: [2, 1], "error": [1.0, 2.0]},
        {ITERATION: [True], "error": [1.0]},
        {ITERATION: [1], "error": [1.0, 2.0]},
        {ITERATION: [1], "error": ["x"]},
        {ITERATION: [1], "error": [float("inf")]},
        {ITERATION: list(range(POINTS_LIMIT + 1))},
        {f"m{n}": [1] for n in range(200)} | {ITERATION: [1]},
    ],
)
def test_a_damaged_curve_is_refused(damaged: Any) -> None:
    with pytest.raises(ValueError, match="curve"):
        check_curve(damaged)
