"""The name of a run: the same for the same question, another one for any other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlflow_operator.api import HistoryEntry, Phase, SQLFlowJob, SQLFlowJobStatus
from sqlflow_operator.run_name import run_name

from tests.unit.operator.observations import job, status


def named(*earlier: str, current: str = "", of: SQLFlowJob | None = None) -> str:
    """The name of the run, after those earlier ones, while the status shows the current one."""
    shown = SQLFlowJobStatus.model_validate(status(Phase.RUNNING, run=current)) if current else SQLFlowJobStatus()
    entries = tuple(HistoryEntry(name=name, phase="Succeeded", finished_at="2026-01-01T00:00:00Z") for name in earlier)
    return run_name(replace(of or job(), status=shown.model_copy(update={"history": entries})))


FIRST = named()


def test_a_job_made_again_under_its_name_runs_again() -> None:
    """A job of the same name and spec, deleted and made again: it must not take the old one's child for its own."""
    assert named(of=replace(job(), uid="another")) != FIRST


def test_what_makes_a_run_makes_its_name() -> None:
    assert named(of=replace(job(), generation=9, resource_version="x", namespace="other")) == FIRST
    assert named(of=job(ttlSecondsAfterFinished=5, suspend=True, activeDeadlineSeconds=7)) == FIRST
    assert len({FIRST, *(named(of=job(**spec)) for spec in ({"program": "SELECT 3"}, {"rerunToken": "1"}))}) == 3


def test_the_name_of_the_job_comes_first() -> None:
    assert FIRST.startswith("iris-")
    assert named(of=replace(job(), name="a.b.")).startswith("a-b-")
    long = named(of=replace(job(), name="n" * 60))
    assert long.startswith("n" * 40 + "-")
    assert len(long) == 51


@pytest.mark.parametrize(
    ("earlier", "current", "expected"),
    [
        ([], "", ""),
        ([""], "", "-2"),
        (["-2", ""], "", "-3"),
        (["", "-10", "-9"], "", "-11"),
        (["-2", ""], "-2", "-2"),
        (["-x", "x", "-2-2"], "", ""),
    ],
)
def test_a_run_that_comes_back_gets_a_number(earlier: list[str], current: str, expected: str) -> None:
    assert named(*(FIRST + each for each in earlier), current=current and FIRST + current) == FIRST + expected


def test_the_run_of_the_status_stays() -> None:
    assert named(FIRST, current=FIRST) == FIRST
    assert named(current="another-0123456789") == FIRST
