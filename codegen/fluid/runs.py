"""Runs: the objects that make Tekton do something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from fluid.collector import register
from fluid.declarations import ParamValue, Workspace, param_value
from fluid.errors import FluidError, UnboundError, UnknownReferenceError, suggest
from fluid.json_fields import Duration, Json, Metadata, RunFields, duration_seconds, go_duration, plain, pruned
from fluid.pipeline import Pipeline
from fluid.pipeline_task import TaskRef, check_params
from fluid.pod_template import PodTemplate
from fluid.scope import Scope
from fluid.task import Task
from fluid.text import Place, render_json
from fluid.valid_names import object_name
from fluid.volumes import Source
from fluid.with_block import Block


class _Run:
    """The common part of runs of pipelines and of tasks: immutable, validated when made."""

    kind = ""
    embedded = False

    def __init__(self, metadata: Metadata) -> None:
        self.owner = f"{self.kind} {metadata.name or metadata.generate_name!r}"
        self._metadata = metadata.to_dict(self.owner)
        self._spec: Json = {}
        register(self)

    def to_dict(self) -> Json:
        """Return the run as Kubernetes JSON; a copy, which may be changed."""
        header = {"apiVersion": "tekton.dev/v1", "kind": self.kind}
        return {**header, "metadata": plain(self._metadata), "spec": plain(self._spec)}

    def _common(
        self,
        what: Block | TaskRef | str,
        embed: bool,
        params: Mapping[str, ParamValue],
        workspaces: Mapping[str, Source],
    ) -> Json:
        """Return the definition of what runs, in full or by its name, with its parameters and workspaces."""
        kind = self.kind.removesuffix("Run").lower()
        scope, declared = Scope(owner=self.owner), None
        if isinstance(what, TaskRef):
            definition = {"taskRef": what.to_dict(self.owner, scope)}
        elif isinstance(what, str):
            definition = {f"{kind}Ref": {"name": object_name(what, f"{self.owner}: its {kind}")}}
        else:
            definition = {f"{kind}Spec": what.spec()} if embed else {f"{kind}Ref": {"name": what.name}}
            what.close()
            what.embedded = what.embedded or embed
            declared = what.declared_workspaces
            check_params(what.declared_params, params, self.owner)
        values = [
            {"name": n, "value": param_value(v, f"{self.owner}, parameter {n!r}", scope, Place.PLAIN)}
            for n, v in params.items()
        ]
        return {**definition, "params": values, "workspaces": self._workspaces(workspaces, declared)}

    def _workspaces(self, bindings: Mapping[str, Source], declared: Sequence[Workspace] | None) -> list[Json]:
        if declared is not None:
            names = {w.name for w in declared}
            for name in bindings:
                if name not in names:
                    raise UnknownReferenceError(f"{self.owner}: there is no workspace {name!r}. {suggest(name, names)}")
            missing = [w.name for w in declared if not w.optional and w.name not in bindings]
            if missing:
                raise UnboundError(f"{self.owner}: say what fills the workspace {', '.join(missing)}.")
        return [{"name": name, **plain(source)} for name, source in bindings.items()]


class PipelineRun(_Run):
    """One execution of a pipeline.

    Args:
        pipeline: the pipeline, or the name of one in the namespace.
        embed: True if the run holds the pipeline (`pipelineSpec`), False if it names it (`pipelineRef`).
        params: its parameters' values.
        workspaces: the sources of its workspaces by name, `fluid.volumes.empty_dir()` and the like.
        timeout: the time that it may take in all; Tekton's default is an hour, 0 is without limit.
        tasks_timeout, finally_timeout: the times that those parts may take.
        service_account: the service account of its pods.
        pod_template: the fields that its pods share.
        task_run_specs: Tekton's `taskRunSpecs`, per task.
        pending: create it, but do not start it before `spec.status` is cleared.
        **metadata: `name` or `generate_name`, `namespace`, `labels`, `annotations`, `owner_references`.
    """

    kind = "PipelineRun"

    def __init__(
        self,
        pipeline: Pipeline | str,
        *,
        embed: bool = True,
        params: Mapping[str, ParamValue] | None = None,
        workspaces: Mapping[str, Source] | None = None,
        timeout: Duration | None = None,
        tasks_timeout: Duration | None = None,
        finally_timeout: Duration | None = None,
        service_account: str = "",
        pod_template: PodTemplate | None = None,
        task_run_specs: Sequence[Mapping[str, Any]] = (),
        pending: bool = False,
        **metadata: Unpack[RunFields],
    ) -> None:
        super().__init__(Metadata(**metadata))
        self._spec = pruned(
            **self._common(pipeline, embed, params or {}, workspaces or {}),
            timeouts=_timeouts(self.owner, pipeline=timeout, tasks=tasks_timeout, final=finally_timeout),
            taskRunTemplate=pruned(
                serviceAccountName=service_account,
                podTemplate=pod_template.to_dict() if pod_template else None,
            ),
            taskRunSpecs=render_json(task_run_specs, f"{self.owner}, task_run_specs", Scope(owner=self.owner)),
            status="PipelineRunPending" if pending else None,
        )


class TaskRun(_Run):
    """One execution of a task, outside every pipeline.

    Args:
        task: the task, one that exists elsewhere, or the name of one in the namespace.
        timeout: the time that one try may take; Tekton's default is an hour, 0 is without limit.
        retries: the number of times that it is tried again.
        embed, params, workspaces, service_account, pod_template, pending, **metadata: as in `PipelineRun`.
    """

    kind = "TaskRun"

    def __init__(
        self,
        task: Task | TaskRef | str,
        *,
        embed: bool = True,
        params: Mapping[str, ParamValue] | None = None,
        workspaces: Mapping[str, Source] | None = None,
        timeout: Duration | None = None,
        retries: int = 0,
        service_account: str = "",
        pod_template: PodTemplate | None = None,
        pending: bool = False,
        **metadata: Unpack[RunFields],
    ) -> None:
        super().__init__(Metadata(**metadata))
        if retries < 0:
            raise FluidError(f"{self.owner}: retries is {retries}; it cannot be negative.")
        self._spec = pruned(
            **self._common(task, embed, params or {}, workspaces or {}),
            timeout=None if timeout is None else go_duration(timeout, f"{self.owner}, timeout"),
            retries=retries or None,
            serviceAccountName=service_account,
            podTemplate=pod_template.to_dict() if pod_template else None,
            status="TaskRunPending" if pending else None,
        )


def _timeouts(owner: str, *, pipeline: Duration | None, tasks: Duration | None, final: Duration | None) -> Json:
    """Tekton's `timeouts`; the parts must fit into the whole."""
    given = {"pipeline": pipeline, "tasks": tasks, "finally": final}
    texts = {k: go_duration(v, f"{owner}, {k} timeout") for k, v in given.items() if v is not None}
    seconds = {k: duration_seconds(v, f"{owner}, {k} timeout") for k, v in texts.items()}
    whole = seconds.get("pipeline", 0)
    parts = [seconds[k] for k in ("tasks", "finally") if k in seconds]
    if whole and (sum(parts) > whole or 0 in parts):
        raise FluidError(f"{owner}: tasks_timeout and finally_timeout together must not exceed timeout ({whole:g} s).")
    return texts
