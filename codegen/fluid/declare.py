"""The words of a `with` block: each declares something in the innermost open task or pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from fluid.containers import Sidecar, Step
from fluid.declarations import Param, Result, Workspace
from fluid.pipeline import Pipeline, PipelineResult
from fluid.task import Task
from fluid.with_block import Block, require_block

P = ParamSpec("P")
B = TypeVar("B", bound=Block)
D = TypeVar("D", Param, Workspace, Result, PipelineResult, Step, Sidecar)
R = TypeVar("R")

_BLOCK = "the `with` block of a task or pipeline"
_TASK = "a task's `with` block"
_PIPELINE = "a pipeline's `with` block"


def _declaring(
    declaration: Callable[P, D], title: str, kind: type[B], inside: str, add: Callable[[B, D], R]
) -> Callable[P, R]:
    """Return the function that makes a declaration, with its arguments, and adds it to the open block."""

    @wraps(declaration, updated=())
    def declare(*args: P.args, **kwargs: P.kwargs) -> R:
        made = declaration(*args, **kwargs)
        return add(require_block(kind, f"{title} {made.name!r}", inside), made)

    return declare


param = _declaring(Param, "Parameter", Block, _BLOCK, Block.add_param)
workspace = _declaring(Workspace, "Workspace", Block, _BLOCK, Block.add_workspace)
result = _declaring(Result, "Result", Task, _TASK, Task.add_result)
step = _declaring(Step, "Step", Task, _TASK, Task.add_step)
sidecar = _declaring(Sidecar, "Sidecar", Task, _TASK, Task.add_sidecar)
pipeline_result = _declaring(PipelineResult, "Pipeline result", Pipeline, _PIPELINE, Pipeline.add_result)


@contextmanager
def finally_() -> Iterator[None]:
    """Tasks used inside run when all others of the pipeline are done, whether they succeeded or not."""
    with require_block(Pipeline, "finally_", _PIPELINE).finally_():
        yield
