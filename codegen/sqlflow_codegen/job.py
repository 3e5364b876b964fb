"""The `job` backend: one batch/v1 Job whose containers are the steps, in the program's order."""

from __future__ import annotations

from typing import Any

from sqlflow_codegen.backend import RunOptions, effective_ordering
from sqlflow_codegen.contract import FINAL_EXIT_CODES
from sqlflow_codegen.errors import CodegenError
from sqlflow_codegen.graph import Step, plan_steps
from sqlflow_codegen.language.ir import Program
from sqlflow_codegen.literals import YAML_DUMP, YAML_IMPORT, call, count, literal, text_literal
from sqlflow_codegen.manifests import (
    container,
    label_value,
    metadata,
    own_arguments,
    pod,
    pod_metadata,
    program_arguments,
    step_arguments,
)
from sqlflow_codegen.ranges import format_ranges
from sqlflow_codegen.sandbox import run_program

_TEMPLATE = '''\
"""A SQL program of {statements} as one batch/v1 Job.

Its containers are the steps, one after the other. Run this file to print the YAML. The SQL program itself
is data: it stands in the ConfigMap, which the steps mount; their arguments only name its statements.
"""

{yaml_import}

PROGRAM = {program}

METADATA = {metadata}

POD_METADATA = {pod_metadata}

POD = {pod}

CONTAINER = {container}

JOB = {job}

ARGUMENTS = {arguments}

STEP_ARGUMENTS = {step_arguments}


def container(name, *arguments):
    """One container of the step image; its arguments hold no text of the SQL program."""
    args = [*ARGUMENTS, *arguments]
    return {{"name": name, "command": ["sqlflow-step"], "args": args, **CONTAINER}}


{run_step}


config_map = {{
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": METADATA,
    "immutable": True,
    "data": {{"program.sql": PROGRAM}},
}}

steps = [
{steps}]

# Init containers run one after the other, and before the others: the last step is the pod's end.
pod = {{**POD, "initContainers": steps[:-1], "containers": steps[-1:]}}

job = {{
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": METADATA,
    "spec": {{**JOB, "template": {{"metadata": POD_METADATA, "spec": pod}}}},
}}

{yaml_dump}
print_yaml(config_map, job)
'''

_RUN_STEP = '''def run_step(name, statements):
    """The container of one step; `statements` are numbers such as 3-5,7."""
    return container(name, "--statements", statements, *STEP_ARGUMENTS)'''

_RUN_STEP_WITH_MORE = '''def run_step(name, statements, **more):
    """The container of one step; `statements` are numbers such as 3-5,7.

    More: `session` are statements of other steps such as SET, run before these; `repeat` are those of these that a
    retry runs again although they are done; `lost` are those at which a retry cannot go on, for want of its session.
    """
    arguments = [part for key, value in more.items() for part in ("--" + key, value)]
    return container(name, "--statements", statements, *arguments, *STEP_ARGUMENTS)'''


_RUN_UID = label_value("batch.kubernetes.io/controller-uid")


class JobCodegen:
    """Code generator of the `job` backend. Stateless: safe to use from many threads."""

    backend = "job"

    def gen_code(self, statements: Program, options: RunOptions | None = None) -> str:
        """A readable, standalone Python program; `python program.py` prints a ConfigMap and a Job as YAML.

        Raises:
            CodegenError: the program has no statement.
        """
        options = options or RunOptions()
        steps = plan_steps(statements, effective_ordering(self.backend, options.ordering), fusion=options.fusion)
        if not steps:
            raise CodegenError("the program has no statement")
        return _TEMPLATE.format(
            statements=count(len(statements), "statement") + " in " + count(len(steps), "step"),
            yaml_import=YAML_IMPORT,
            yaml_dump=YAML_DUMP,
            program=text_literal(statements.text),
            metadata=literal(metadata(options), prefix=11),
            pod_metadata=literal(pod_metadata(options), prefix=15),
            pod=literal(pod(options), prefix=6),
            container=literal(container(options, _RUN_UID), prefix=12),
            job=literal(_job(options), prefix=6),
            arguments=literal(program_arguments(statements.dialect), prefix=12),
            step_arguments=literal(_step_arguments(options), prefix=17),
            run_step=_RUN_STEP_WITH_MORE if any(map(own_arguments, steps)) else _RUN_STEP,
            steps="".join(f"{_step(step)},\n" for step in steps),
        )

    def gen_yaml(self, code: str) -> str:
        """Run that program apart from this process, with limits, and return the YAML that it printed.

        Raises:
            CodegenError: it failed, exceeded a limit, or printed nothing.
        """
        text = run_program(code)
        if not text.strip():
            raise CodegenError("the workflow program printed no YAML")
        return text


def _step(step: Step) -> str:
    own = [f"{name}={literal(value)}" for name, value in own_arguments(step).items()]
    return call("run_step", literal(step.name), literal(format_ranges(step.statements)), *own, indent=1)


def _step_arguments(options: RunOptions) -> list[str]:
    """A Job is suspended by taking its pod away: a step that this stops goes on later."""
    shared = step_arguments(options)
    return shared if options.retries > 0 else [*shared, "--resumable"]


def _job(options: RunOptions) -> dict[str, Any]:
    """The Job's spec but for its pod."""
    rules: list[dict[str, Any]] = [
        {"action": "FailJob", "onExitCodes": {"operator": "In", "values": list(FINAL_EXIT_CODES)}},
    ]
    if options.retries > 0:
        rules.append({"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]})
    spec: dict[str, Any] = {"backoffLimit": options.retries, "podFailurePolicy": {"rules": rules}}
    if options.active_deadline_seconds is not None:
        spec["activeDeadlineSeconds"] = options.active_deadline_seconds
    if options.suspend:
        spec["suspend"] = True
    return spec
