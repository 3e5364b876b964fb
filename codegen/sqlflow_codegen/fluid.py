"""The `tekton` backend: a program in Fluid that prints a Tekton PipelineRun, a task for each step.

Tekton keeps the termination message of a step's container for itself, so a step leaves its outcome in the task's result
`outcome`, which Tekton copies into the TaskRun's status, whether the step succeeded or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fluid import substituted

from sqlflow_codegen.backend import RunOptions
from sqlflow_codegen.contract import OUTCOME_RESULT, PROGRAM_DIR, PROGRAM_FILE, TERMINATION_LOG_ENV
from sqlflow_codegen.dag import checked_steps, common_parts, restricted, step_calls, yaml_of
from sqlflow_codegen.language.ir import Program
from sqlflow_codegen.literals import call, literal
from sqlflow_codegen.manifests import SCRATCH_DIR, container, environment, label_value, metadata, pod
from sqlflow_codegen.substitution import shield

MODULES = ("fluid",)
"""What the sandbox imports before it runs a program."""

MAIN_STEP = "main"
"""Name of each task's only Tekton step; its container is `step-main`."""

_RUN_UID = label_value("tekton.dev/pipelineRunUID")

_TEMPLATE = '''\
"""A SQL program of {statements} as a Tekton PipelineRun, in Fluid: a task for each step.

Run this file to print the YAML. The SQL program itself is data: it stands in the
ConfigMap, which the steps mount; their arguments only name its statements.
"""

import fluid

PROGRAM = {program}

METADATA = {metadata}

ENV = {env}

CONTAINER = {container}

{program_source}
MOUNTS = {{
    "{program_dir}": fluid.Mount(fluid.Volume("program", PROGRAM_SOURCE), read_only=True),
    "{scratch_dir}": fluid.Volume("scratch", fluid.volumes.empty_dir()),
}}

ARGUMENTS = {arguments}

STEP_ARGUMENTS = {step_arguments}


def add_step(name, *arguments, after):
    """Add a step as a task; it starts when all tasks that `after` names have succeeded."""
    with fluid.Task(name, labels={{"{label_step}": name}}) as task:
        outcome = fluid.result("{outcome}")
        fluid.step(
            "{main_step}",
            command=["sqlflow-step"],
            args=[*ARGUMENTS, *arguments],
            # Tekton keeps the container's termination message for itself.
            env=[*ENV, {{"name": "{termination_log_env}", "value": outcome.path}}],
            mounts=MOUNTS,
            **CONTAINER,
        )
    # Without limit: the run's timeout is the only clock; Tekton's default is one hour.
    task(run_after=after, timeout=0{retries})


def run_step(name, statements, {own_parameters}after=()):
    """Add the step that runs these statements, numbers such as 3-5,7."""
    arguments = ["--statements", statements, *STEP_ARGUMENTS]{own_arguments}
    add_step(name, *arguments, after=after)


config_map = fluid.ConfigMap(
    data={data},
    immutable=True,
    **METADATA,
)

with fluid.Pipeline("steps") as pipeline:
{steps}

{pod}
{run}

if __name__ == "__main__":
    print(fluid.dump(config_map, run), end="")
'''


class FluidCodegen:
    """Code generator of the `tekton` backend. Stateless: safe to use from many threads."""

    backend = "tekton"

    def gen_code(self, statements: Program, options: RunOptions | None = None) -> str:
        """A readable, standalone Fluid program; `python program.py` prints a ConfigMap and a PipelineRun as YAML.

        Raises:
            CodegenError: the program has no statement, Tekton would refuse the run's name, or would substitute in
                one of the options' texts.
        """
        options, carried = shield(options or RunOptions(), substituted, "Tekton")
        steps = checked_steps(statements, options)
        return _TEMPLATE.format(
            **common_parts(statements, steps, options, carried),
            metadata=literal(_metadata(options), prefix=len("METADATA = ")),
            env=literal(environment(options, _RUN_UID), prefix=len("ENV = ")),
            container=literal(_container(options), prefix=len("CONTAINER = ")),
            program_source=_program_source(carried),
            program_dir=PROGRAM_DIR,
            scratch_dir=SCRATCH_DIR,
            outcome=OUTCOME_RESULT,
            main_step=MAIN_STEP,
            termination_log_env=TERMINATION_LOG_ENV,
            retries=f", retries={options.retries}" if options.retries > 0 else "",
            steps=step_calls(steps, indent=1),
            pod=_pod(options),
            run=_run(options),
        )

    def gen_yaml(self, code: str) -> str:
        """Run that program apart from this process, with limits, and return the YAML that it printed.

        Raises:
            CodegenError: it failed, exceeded a limit, or printed nothing.
        """
        return yaml_of(code, MODULES)


def _metadata(options: RunOptions) -> dict[str, Any]:
    """Metadata of the run and its ConfigMap, in Fluid's names."""
    data = metadata(options)
    return {"owner_references" if key == "ownerReferences" else key: value for key, value in data.items()}


def _container(options: RunOptions) -> dict[str, Any]:
    """What the containers of all steps share, in Fluid's names."""
    shared = container(options, _RUN_UID)
    names = {"image": "image", "imagePullPolicy": "image_pull_policy", "resources": "resources"}
    data = {names[key]: value for key, value in shared.items() if key in names}
    return {**data, "security_context": restricted(shared["securityContext"])}


def _program_source(carried: Mapping[str, str]) -> str:
    """What fills the program's volume; of a ConfigMap that carries more, the steps see only the program."""
    items = [f"items={literal({PROGRAM_FILE: PROGRAM_FILE})}"] if carried else []
    return call("PROGRAM_SOURCE = fluid.volumes.config_map", 'METADATA["name"]', *items)


def _pod(options: RunOptions) -> str:
    pods = pod(options)
    fields: dict[str, Any] = {
        "security_context": {"seccompProfile": {"type": "RuntimeDefault"}},
        "automount_service_account_token": pods["automountServiceAccountToken"],
        "enable_service_links": pods["enableServiceLinks"],
        "image_pull_secrets": pods.get("imagePullSecrets"),
        "node_selector": pods.get("nodeSelector"),
        "tolerations": pods.get("tolerations"),
        "affinity": pods.get("affinity"),
    }
    return call("POD = fluid.PodTemplate", *_keywords(fields))


def _run(options: RunOptions) -> str:
    fields: dict[str, Any] = {
        "timeout": options.active_deadline_seconds or 0,
        "service_account": options.service_account_name,
        "pending": True if options.suspend else None,
    }
    return call("run = fluid.PipelineRun", "pipeline", *_keywords(fields), "pod_template=POD", "**METADATA")


def _keywords(fields: Mapping[str, Any]) -> list[str]:
    """Source of keyword arguments, without those that are None."""
    set_fields = {name: value for name, value in fields.items() if value is not None}
    return [f"{name}={literal(value, 1, len(name) + 2)}" for name, value in set_fields.items()]
