"""Tasks: steps that run in one pod."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from fluid.containers import Sidecar, Step, StepTemplate
from fluid.declarations import Namespace, Result
from fluid.errors import DuplicateError, FluidError
from fluid.json_fields import Json, pruned
from fluid.pipeline_task import UsableTask
from fluid.scope import Scope
from fluid.valid_names import labels as checked_labels
from fluid.valid_names import unique
from fluid.volumes import Volume
from fluid.with_block import Block, BlockFields


class Task(Block, UsableTask):
    """A task: parameters, workspaces, steps that run one after the other in one pod, results.

    Fill it in a `with` block or by its constructor. Call it inside a pipeline to use it there.

    Args:
        name: DNS label.
        results: its results; more may be added in its `with` block, as of all that it declares.
        steps: the containers that run one after the other.
        sidecars: the containers that run beside them.
        volumes: volumes that nothing mounts by `mounts`; mounted ones declare themselves.
        step_template: the fields that all steps share.
        **fields: `params`, `workspaces`, `display_name`, `description`; `labels` and `annotations` of the Task or,
            inside a pipeline, of its TaskRuns and pods; `namespace` of the Task where it is an object of its own.
    """

    kind = "task"

    def __init__(
        self,
        name: str,
        *,
        results: Sequence[Result] = (),
        steps: Sequence[Step] = (),
        sidecars: Sequence[Sidecar] = (),
        volumes: Sequence[Volume] = (),
        step_template: StepTemplate | None = None,
        **fields: Unpack[BlockFields],
    ) -> None:
        super().__init__(name, **fields)
        self._results = list(results)
        self._steps = list(steps)
        self._sidecars = list(sidecars)
        self._volumes = list(volumes)
        self._step_template = step_template

    @property
    def results(self) -> Namespace[Result]:
        """Its results, seen from inside: `task.results.digest.path` is the file to write."""
        return Namespace(f"{self.owner}: result", {r.name: r for r in self._results})

    @property
    def result_names(self) -> frozenset[str]:
        """The names of its results."""
        return frozenset(r.name for r in self._results)

    def add_result(self, result: Result) -> Result:
        """Declare a result."""
        self.ensure_open("a result")
        self._results.append(result)
        return result

    def add_step(self, step: Step) -> Step:
        """Add a step after those that are there."""
        self.ensure_open("a step")
        self._steps.append(step)
        return step

    def add_sidecar(self, sidecar: Sidecar) -> Sidecar:
        """Add a sidecar."""
        self.ensure_open("a sidecar")
        self._sidecars.append(sidecar)
        return sidecar

    def validate(self) -> None:
        """Check names, images and every reference by rendering once."""
        if not self._steps:
            raise FluidError(f"{self.owner} has no step.")
        unique((r.name for r in self._results), f"{self.owner}: result")
        unique((s.name for s in self._steps), f"{self.owner}: step")
        unique((s.name for s in self._sidecars), f"{self.owner}: sidecar")
        shared_image = self._step_template.image if self._step_template else ""
        for number, step in enumerate(self._steps, 1):
            if not step.image and not shared_image:
                raise FluidError(f"{self.owner}: step {step.name or number!r} has no image.")
        self._metadata.to_dict(self.owner)
        self._spec = self._render()

    def spec(self) -> Json:
        """The `spec` of the Task, which is also what a run embeds."""
        self.close()
        return self._spec

    def definition(self, where: str, scope: Scope) -> Json:
        """Return the `taskSpec` of a pipeline's task: with labels and annotations for its TaskRuns and pods."""
        metadata = pruned(
            labels=checked_labels(self._metadata.labels, self.owner), annotations=dict(self._metadata.annotations)
        )
        self.embedded = True
        return {"taskSpec": pruned(metadata=metadata, **self.spec())}

    def _scope(self) -> Scope:
        return Scope(
            owner=self.owner,
            params={p.name: p.kind for p in self._params},
            keys={p.name: frozenset(p.keys) for p in self._params},
            results=self.result_names,
            workspaces=frozenset(w.name for w in self._workspaces),
            steps=frozenset(s.name for s in self._steps if s.name),
            in_task=True,
        )

    def _render(self) -> Json:
        scope = self._scope()
        return pruned(
            **self._heading,
            params=[p.to_dict(self.owner) for p in self._params],
            results=[r.to_dict(self.owner, scope) for r in self._results],
            workspaces=[w.to_dict(in_task=True) for w in self._workspaces],
            volumes=[v.to_dict(self.owner) for v in self._all_volumes()],
            stepTemplate=self._step_template.to_dict(self.owner, scope) if self._step_template else None,
            steps=[s.to_dict(self.owner, scope) for s in self._steps],
            sidecars=[s.to_dict(self.owner, scope) for s in self._sidecars],
        )

    def _all_volumes(self) -> list[Volume]:
        """Every volume once, in the order of first mention."""
        containers = ([self._step_template] if self._step_template else []) + self._steps + self._sidecars
        volumes: dict[str, Volume] = {}
        for volume in [*self._volumes, *(v for c in containers for v in c.volumes)]:
            if volumes.setdefault(volume.name, volume) != volume:
                raise DuplicateError(f"{self.owner}: two different volumes are called {volume.name!r}.")
        return list(volumes.values())
