"""Where an engine cannot give what the others give: what it gives instead, and why. docs/backends.md tells the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tests.conformance.cases import Case, Expected, Step


@dataclass(frozen=True)
class Difference:
    """One field of one case's outcome that is another on one backend."""

    case: str
    backend: str
    field: str
    value: object
    why: str


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "parallel", "job", "overlap", None,
        "a Job runs its steps one at a time, as the init containers of one pod",
    ),
    Difference(
        "missing-image", "tekton", "reason", "ImagePull",
        "Tekton gives a step up as soon as its image cannot be pulled; a Job and Argo go on trying until the deadline",
    ),
    Difference(
        "missing-image", "tekton", "message", r"^Step s1-sql failed: .*no-such-image:1.*Check spec\.image",
        "as the run ends for want of the image and not by its deadline, its message says so",
    ),
    Difference(
        "failure-beside", "job", "earlier", None,
        "a Job runs its steps one at a time: the slow one has ended before the other begins, whose failure ends all",
    ),
    Difference(
        "lost-pod", "job", "steps", (Step("s1-sql", "Failed"),),
        "a Job starts no other pod; Argo and Tekton make the same pod again, in which the step refuses to begin twice",
    ),
    Difference(
        "interrupted", "argo", "steps", (Step("s1-sql"), Step("s2-sql", "Failed", None), Step("s3-sql", "Skipped", 0)),
        "Argo looks every ten seconds: a pod that is gone by then is made again, and the step refuses to begin twice",
    ),
    Difference(
        "retries-in-vain", "tekton", "steps", (Step("s1-sql"), Step("s2-sql", "Failed", 3)),
        "Tekton retries whatever the exit code is; the later attempts find in the database how the first one failed",
    ),
)  # fmt: skip

SPECS: Mapping[tuple[str, str], Mapping[str, object]] = {
    ("missing-image", "tekton"): {"activeDeadlineSeconds": 120},
}
"""Fields of the spec, by case and backend, that bring a difference out for sure: Tekton gives up in its own time."""

ELSEWHERE: tuple[tuple[str, str], ...] = (
    ("tekton", "a PipelineRun that has started cannot be suspended: spec.suspend holds it only before its start"),
    ("tekton", "the deadline of a PipelineRun cannot be changed once it runs: the operator enforces the new one"),
    ("job", "a retry starts the pod with all steps again; those that are done find so in the ledger and end at once"),
    ("job", "suspending a running Job deletes its pod, while Argo lets the steps that are running end"),
)
"""Differences that no case shows, by backend: the same question would have no answer on every engine."""


def expected(case: Case, backend: str) -> Expected:
    """The outcome that a case must have on a backend."""
    changes = {d.field: d.value for d in DIFFERENCES if (d.case, d.backend) == (case.name, backend)}
    return replace(case.expected, **changes)  # type: ignore[arg-type]


def adapted(case: Case, backend: str) -> Case:
    """The case as it is run on a backend."""
    return replace(case, spec={**case.spec, **SPECS.get((case.name, backend), {})})
