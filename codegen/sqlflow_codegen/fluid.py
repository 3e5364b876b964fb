"""The `tekton` backend: a program in Fluid that prints a Tekton PipelineRun, a task for each step.

Tekton keeps the termination message of a step's container for itself, so a step leaves its outcome in the task's result
`outcome`, which Tekton copies into the TaskRun's status, whether the step succeeded or not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from fluid import substituted

from sqlflow_codegen.backend import RunOptions
from sqlflow_codegen.contract import LABEL_STEP, PROGRAM_FILE
from sqlflow_codegen.generator import ProgramCodegen
from sqlflow_codegen.manifests import label_value, placement, restricted


class FluidCodegen(ProgramCodegen):
    """Code generator of the `tekton` backend."""

    backend = "tekton"
    program = "tekton_run"
    modules = ("fluid",)
    run_uid: ClassVar = label_value("tekton.dev/pipelineRunUID")

    def _data(self, options: RunOptions, texts: Mapping[str, str], common: dict[str, Any]) -> dict[str, Any]:
        shared = common["CONTAINER"]
        run = {
            "timeout": options.active_deadline_seconds or 0,
            "service_account": options.service_account_name or None,
            "pending": options.suspend or None,
        }
        pod = {
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            **placement(options),
        }
        return common | {
            "METADATA": _in_fluid(common["METADATA"]),
            "CONTAINER": _step_fields(shared),
            "COPY": _step_fields(common["COPY"]) | {"args": common["COPY"]["args"]} if common["COPY"] else {},
            "ENV": shared["env"],
            "TEXTS": texts,
            "FILES": {PROGRAM_FILE: PROGRAM_FILE} if texts else {},
            "RUN": {key: value for key, value in run.items() if value is not None},
            "POD": _in_fluid(pod),
            "RETRIES": max(options.retries, 0),
            "LABEL_STEP": LABEL_STEP,
        }

    def _own(self, fields: dict[str, Any]) -> dict[str, Any]:
        return {"env": fields["env"], "own": _step_fields(fields)}

    def _substituted(self, text: str) -> str | None:
        return substituted(text)


def _step_fields(container: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a container that Fluid's `step` takes by the same name, without those that its program makes."""
    names = ("image", "imagePullPolicy", "command", "resources", "securityContext")
    fields = restricted(container)
    return _in_fluid({name: fields[name] for name in names if name in fields})


def _in_fluid(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields by Fluid's names: Kubernetes' own in Python's spelling."""
    return {re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", name): value for name, value in fields.items()}
