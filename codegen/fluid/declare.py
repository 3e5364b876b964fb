"""The words of a `with` block: each declares something in the innermost open task or pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fluid.containers import Sidecar, Step
from fluid.declarations import Param, ParamType, ParamValue, Result, Workspace
from fluid.pipeline import Pipeline, PipelineResult
from fluid.task import Task
from fluid.tekton_variables import Reference
from fluid.with_block import Block, require_block

_A_TASK = "a task's `with` block"
_A_PIPELINE = "a pipeline's `with` block"


def param(
    name: str,
    default: ParamValue | None = None,
    *,
    type: ParamType | None = None,
    description: str = "",
    properties: Sequence[str] = (),
    enum: Sequence[str] = (),
) -> Reference:
    """Declare a parameter of the task or pipeline; arguments as in `Param`. Returns the reference to it."""
    block = require_block(Block, f"Parameter {name!r}", "the `with` block of a task or pipeline")
    return block.add_param(Param(name, default, type=type, description=description, properties=properties, enum=enum))


def workspace(
    name: str,
    *,
    description: str = "",
    mount_path: str = "",
    read_only: bool = False,
    optional: bool = False,
) -> Workspace:
    """Declare a workspace of the task or pipeline; `.path` is where a task finds it."""
    block = require_block(Block, f"Workspace {name!r}", "the `with` block of a task or pipeline")
    return block.add_workspace(Workspace(name, description, mount_path, read_only, optional))


def result(
    name: str,
    *,
    description: str = "",
    type: ParamType = "string",
    properties: Sequence[str] = (),
    value: str = "",
) -> Result:
    """Declare a result of the task; its steps write it to the file `.path`."""
    task = require_block(Task, f"Result {name!r}", _A_TASK)
    return task.add_result(Result(name, description, type, properties, value))


def pipeline_result(name: str, value: str, *, description: str = "", type: ParamType | None = None) -> None:
    """Declare a result of the pipeline, made of its tasks' results."""
    pipeline = require_block(Pipeline, f"Pipeline result {name!r}", _A_PIPELINE)
    pipeline.add_result(PipelineResult(name, value, description, type))


def step(name: str = "", **fields: Any) -> Step:
    """Add a step to the task; arguments as in `Step`."""
    return require_block(Task, f"Step {name!r}", _A_TASK).add_step(Step(name, **fields))


def sidecar(name: str, **fields: Any) -> Sidecar:
    """Add a sidecar to the task; arguments as in `Sidecar`."""
    return require_block(Task, f"Sidecar {name!r}", _A_TASK).add_sidecar(Sidecar(name, **fields))


@contextmanager
def finally_() -> Iterator[None]:
    """Tasks used inside run when all others of the pipeline are done, whether they succeeded or not."""
    with require_block(Pipeline, "finally_", _A_PIPELINE).finally_():
        yield
