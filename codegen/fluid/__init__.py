"""Fluid: Tekton pipelines (tekton.dev/v1) in Python.

    import fluid

    @fluid.task
    def greet(name: str = "world"):
        fluid.step(image="busybox:1.36", args=["echo", f"hello {name}"])

    with fluid.Pipeline("hello") as hello:
        greet(name="Tekton")

    print(fluid.dump(fluid.PipelineRun(hello, generate_name="hello-")))

Everything is validated when it is built, references are objects, text is literal, and what was built cannot
change. The README beside this file is the guide.
"""

from fluid import volumes
from fluid.collector import collecting, dump
from fluid.config_map import ConfigMap
from fluid.containers import ConfigMapKey, FieldPath, SecretKey, Sidecar, Step, StepTemplate
from fluid.declarations import Param, Result, Workspace
from fluid.declare import finally_, param, pipeline_result, result, sidecar, step, workspace
from fluid.decorators import pipeline, task
from fluid.errors import (
    CycleError,
    DuplicateError,
    FluidError,
    InvalidNameError,
    LiteralError,
    ScopeError,
    UnboundError,
    UnknownReferenceError,
)
from fluid.pipeline import Pipeline, PipelineResult
from fluid.pipeline_task import PipelineTask, TaskRef
from fluid.pod_template import PodTemplate
from fluid.runs import PipelineRun, TaskRun
from fluid.task import Task
from fluid.tekton_variables import Reference, When, cel, reference, var, when
from fluid.text import substituted
from fluid.volumes import Mount, Volume

__all__ = [
    "ConfigMap",
    "ConfigMapKey",
    "CycleError",
    "DuplicateError",
    "FieldPath",
    "FluidError",
    "InvalidNameError",
    "LiteralError",
    "Mount",
    "Param",
    "Pipeline",
    "PipelineResult",
    "PipelineRun",
    "PipelineTask",
    "PodTemplate",
    "Reference",
    "Result",
    "ScopeError",
    "SecretKey",
    "Sidecar",
    "Step",
    "StepTemplate",
    "Task",
    "TaskRef",
    "TaskRun",
    "UnboundError",
    "UnknownReferenceError",
    "Volume",
    "When",
    "Workspace",
    "cel",
    "collecting",
    "dump",
    "finally_",
    "param",
    "pipeline",
    "pipeline_result",
    "reference",
    "result",
    "sidecar",
    "step",
    "substituted",
    "task",
    "var",
    "volumes",
    "when",
    "workspace",
]
