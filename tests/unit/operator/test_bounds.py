"""A status that is too large loses, measure by measure, what can be had elsewhere; not a byte more than it must."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from sqlflow_operator.api import (
    DiagnosticStatus,
    HistoryEntry,
    MetricStatus,
    SQLFlowJobStatus,
    StepPhase,
    StepStatus,
)
from sqlflow_operator.reconcile.bounds import STATUS_BYTES, bound, size_of


def step(number: int, statements: int) -> StepStatus:
    words = {"message": "m" * 400, "pod": f"pod-{number}", "log": f"kubectl logs pod-{number}"}
    numbers = tuple(range(1, statements + 1))
    return StepStatus(name=f"s{number}", kind="sql", statements=numbers, phase=StepPhase.FAILED, **words)


def diagnostic(hint: str | None) -> DiagnosticStatus:
    place = {"statement": 1, "line": 1, "column": 1}
    return DiagnosticStatus(code="c", severity="error", message="d" * 400, hint=hint, **place)


LARGE = SQLFlowJobStatus(
    message="M" * 200,
    steps=(step(1, 20), step(2, 21), step(3, 1).model_copy(update={"message": None})),
    diagnostics=(diagnostic("h" * 400), diagnostic(None)),
    metrics=tuple(MetricStatus(statement=n, model="m", name="auc", value="0.5") for n in range(200)),
    history=tuple(
        HistoryEntry(name=f"r{n}", phase="Failed", message="x" * 400, finished_at="2026-01-01T00:00:00Z")
        for n in range(10)
    ),
)


def clipped(letter: str, length: int) -> str:
    return letter * (length - 3) + "…"


def messages(length: int) -> Callable[[SQLFlowJobStatus], SQLFlowJobStatus]:
    def shorten(status: SQLFlowJobStatus) -> SQLFlowJobStatus:
        steps = [one.model_copy(update={"message": one.message and clipped("m", length)}) for one in status.steps]
        found = [
            one.model_copy(update={"message": clipped("d", length), "hint": one.hint and clipped("h", length)})
            for one in status.diagnostics
        ]
        entries = [one.model_copy(update={"message": clipped("x", length)}) for one in status.history]
        update = {"steps": tuple(steps), "diagnostics": tuple(found), "history": tuple(entries)}
        return status.model_copy(update=update)

    return shorten


def without(field: str) -> Callable[[SQLFlowJobStatus], SQLFlowJobStatus]:
    return lambda status: status.model_copy(
        update={"steps": tuple(one.model_copy(update={field: None}) for one in status.steps)}
    )


def ends_of_lists(status: SQLFlowJobStatus) -> SQLFlowJobStatus:
    """Only the second step has more than twenty statements."""
    first, second, third = status.steps
    return status.model_copy(update={"steps": (first, second.model_copy(update={"statements": (1, 21)}), third)})


def fewer(status: SQLFlowJobStatus) -> SQLFlowJobStatus:
    return status.model_copy(update={"metrics": LARGE.metrics[:50], "history": status.history[:3]})


MEASURES = {
    "messages of 300 bytes": messages(300),
    "no log commands": without("log"),
    "the ends of long lists": ends_of_lists,
    "messages of 160 bytes": messages(160),
    "messages of 80 bytes": messages(80),
    "messages of 40 bytes": messages(40),
    "fewer metrics and runs": fewer,
    "no pods": without("pod"),
}


def stages() -> Iterator[tuple[SQLFlowJobStatus, SQLFlowJobStatus]]:
    """The status before and after each measure."""
    before = LARGE
    for measure in MEASURES.values():
        after = measure(before)
        yield before, after
        before = after


@pytest.mark.parametrize(("before", "after"), list(stages()), ids=MEASURES.keys())
def test_one_measure_after_the_other(before: SQLFlowJobStatus, after: SQLFlowJobStatus) -> None:
    assert size_of(after) < size_of(before)
    assert bound(LARGE, size_of(before)) == before
    assert bound(LARGE, size_of(before) - 1) == after


def test_what_is_left_when_nothing_more_can_go() -> None:
    *_, (_, last) = stages()
    assert bound(LARGE, 1) == last


def test_some_lists_have_a_limit_in_any_case() -> None:
    short = diagnostic(None).model_copy(update={"message": "d"})
    many = SQLFlowJobStatus(metrics=LARGE.metrics * 2, history=LARGE.history * 2, diagnostics=(short,) * 51)
    bounded = bound(many)
    assert bounded == SQLFlowJobStatus(metrics=LARGE.metrics, history=LARGE.history, diagnostics=(short,) * 50)


def test_the_size_is_that_of_the_json_in_bytes() -> None:
    status = SQLFlowJobStatus(message="é→😀", steps=LARGE.steps)
    text = json.dumps(status.to_json(), ensure_ascii=False).replace(": ", ":").replace(", ", ",")
    assert size_of(status) == len(text.encode())
    assert STATUS_BYTES == 61440
