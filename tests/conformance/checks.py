"""Compares what became of a job with what its case expects; used on real clusters and on replays alike."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.conformance.cases import TABLE, Expected
from tests.e2e.kube import condition, whole_message

Object = Mapping[str, Any]

_RANKS = {"Pending": 0, "Suspended": 0, "Running": 1, "Succeeded": 2, "Failed": 2}


def check_outcome(job: Object, expected: Expected, table: str = TABLE) -> None:
    """The final status of a job is the expected one."""
    status = job["status"]
    message = whole_message(job)
    told = f"{status.get('phase')}: {message}"
    assert status["phase"] == expected.phase, told
    kind = "Complete" if expected.phase == "Succeeded" else "Failed"
    assert condition(dict(job), kind)["status"] == "True", told
    assert condition(dict(job), kind)["reason"] == expected.reason, told
    assert re.search(expected.message.replace(TABLE, table), message), told
    check_steps(status, expected)
    assert {m["name"] for m in status.get("metrics", ())} == expected.metrics
    models = [(m["name"], m["version"]) for m in status.get("models", ())]
    assert models == [(name.replace(TABLE, table), version) for name, version in expected.models]
    assert status["observedGeneration"] == job["metadata"]["generation"]


def check_steps(status: Object, expected: Expected) -> None:
    """Every step ended as it must, and the counts agree with them."""
    steps = status["steps"]
    assert [(s["name"], s["phase"]) for s in steps] == [(s.name, s.phase) for s in expected.steps]
    for step, wanted in zip(steps, expected.steps, strict=True):
        assert wanted.attempts in (None, step["attempts"]), f"attempts of {step}"
        if step["phase"] == "Succeeded":
            assert step["startedAt"] <= step["finishedAt"]
            assert "message" not in step
        if step["phase"] == "Failed":
            assert step["message"]
    done = sum(step.phase == "Succeeded" for step in expected.steps)
    assert (status["completedSteps"], status["totalSteps"]) == (done, len(steps))
    assert status["progress"] == f"{done}/{len(steps)}"


def check_history(statuses: Sequence[Object], expected: Expected) -> None:
    """On its way a status never went back, and told what it had to tell."""
    ranks = [_RANKS[status["phase"]] for status in statuses if "phase" in status]
    assert ranks == sorted(ranks), [status.get("phase") for status in statuses]
    done = [status.get("completedSteps", 0) for status in statuses]
    assert done == sorted(done), done
    ended = [status["phase"] for status in statuses if _RANKS.get(status.get("phase", ""), 0) == 2]
    assert set(ended) <= {expected.phase}
    if expected.earlier:
        reason, message = expected.earlier
        told = [(_reason(status), whole_message({"status": status})) for status in statuses[:-1]]
        assert any(r == reason and re.search(message, m) for r, m in told), told


def check_overlap(status: Object, expected: Expected) -> None:
    """Two steps that must have run at the same time did."""
    if expected.overlap is None:
        return
    first, second = (next(s for s in status["steps"] if s["name"] == name) for name in expected.overlap)
    start = max(_moment(first["startedAt"]), _moment(second["startedAt"]))
    assert start < min(_moment(first["finishedAt"]), _moment(second["finishedAt"])), (first, second)


def _reason(status: Object) -> str:
    return str(condition({"status": status}, "Ready").get("reason", ""))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
