"""The definition of a backend: everything in which it differs from the others, as one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any, Generic

from sqlflow_codegen.backend import Codegen

from sqlflow_operator.api import Backend
from sqlflow_operator.kube import Kube, Resource
from sqlflow_operator.workflow.observe.pods import FINISH
from sqlflow_operator.workflow.observe.state import ChildT, PartT, RunObjects, RunState, StepState
from sqlflow_operator.workflow.observe.step_attempts import Places


def _nothing_missing(_kube: Kube, _namespace: str, _account: str | None) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendDefinition(Generic[ChildT, PartT]):
    """A backend. All functions but `missing_right` are pure: they neither call the cluster nor read a clock.

    Attributes:
        name: the name of the backend.
        title: the name of its engine in messages.
        built_in: True if every cluster has the engine.
        generator: the class of the code generator, as `module:class`; imported on use.
        resource: the kind of a run's child.
        kind: the child's `kind`.
        parts: the kinds of the objects between the child and its pods, which have the job's UID as a label.
        deadline_grace: seconds that the engine may take to enforce a deadline before the operator does.
        suspends_running: True if the engine can suspend a run that has started.
        planned: the containers that a child runs in order, as steps that are pending; FINISH may be one of them.
        places: the steps that a pod executes: the name of each step to the name of its container.
        observe: the state of a run from its objects.
        ended: True if the engine says that the child has ended.
        adjust: the merge patch that gives a child a suspension and a deadline in seconds, or None if it has them.
        cancellation: the merge patch that stops a run and keeps its child.
        missing_right: the right that the steps' service account lacks in a namespace, as a sentence with advice, or ""
            if it lacks none or that cannot be known.
    """

    name: Backend
    title: str
    built_in: bool = False
    generator: str
    resource: Resource[ChildT]
    kind: str
    parts: tuple[Resource[PartT], ...] = ()
    deadline_grace: int
    suspends_running: bool
    planned: Callable[[ChildT], tuple[StepState, ...]]
    places: Places
    observe: Callable[[RunObjects[ChildT, PartT]], RunState]
    ended: Callable[[ChildT], bool]
    adjust: Callable[[ChildT, bool, int | None], dict[str, Any] | None]
    cancellation: Mapping[str, Any]
    missing_right: Callable[[Kube, str, str | None], str] = _nothing_missing

    def codegen(self) -> Codegen:
        """A code generator of the backend."""
        made: Codegen = resolve_name(self.generator)()
        return made

    def steps(self, child: ChildT) -> tuple[StepState, ...]:
        """The steps of a child in order, all of them pending."""
        return tuple(step for step in self.planned(child) if step.name != FINISH)

    @property
    def kinds(self) -> tuple[Resource, ...]:
        """The kinds of the backend's own objects, the child first."""
        return (self.resource, *self.parts)
