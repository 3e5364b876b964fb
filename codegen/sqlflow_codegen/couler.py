"""The `argo` backend: a program in Couler that prints an Argo Workflow, a DAG of the steps.

Couler names the steps, orders them and sets what it has words for; what it has none for the program adds, in plain
Python, to the workflow that Couler built. Some of Couler's own words are avoided: arguments of a container become
template parameters in literal quotes, `retry` cannot spare an exit code, `resources` are requests and limits alike,
and its time to live is a field that Argo no longer has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlflow_codegen.backend import RunOptions
from sqlflow_codegen.contract import FINAL_EXIT_CODES
from sqlflow_codegen.dag import checked_steps, common_parts, program_volumes, restricted, step_calls, yaml_of
from sqlflow_codegen.language.ir import Program
from sqlflow_codegen.literals import YAML_DUMP, call, literal
from sqlflow_codegen.manifests import container, metadata, pod, pod_metadata
from sqlflow_codegen.substitution import shield

MODULES = ("couler.argo",)
"""What the sandbox imports before it runs a program."""

MAIN = "program"
"""Name of the DAG's template; no step is called so."""

_TEMPLATE = '''\
"""A SQL program of {statements} as an Argo Workflow: a DAG of its steps, in Couler.

Run this file (pip install couler-scanflow) to print the YAML. The SQL program itself is
data: it stands in the ConfigMap, which the steps mount; their arguments only name its
statements.
"""

import re

import couler.argo as couler
import yaml
from couler.argo_submitter import ArgoSubmitter

PROGRAM = {program}

METADATA = {metadata}

# What Couler has no words for: of the workflow, of its steps, of their containers.
WORKFLOW = {workflow}

STEP = {step}

CONTAINER = {container}

ARGUMENTS = {arguments}

STEP_ARGUMENTS = {step_arguments}

IMAGE = {image}

arguments_of = {{}}


def add_step(name, *arguments, after):
    """Add a step to the DAG; it starts when all steps that `after` names have succeeded."""

    def container():
        return couler.run_container(
            step_name=name,
            image=IMAGE,
            command=["sqlflow-step"],
        )

    couler.set_dependencies(container, dependencies=" && ".join(after) or None)
    arguments_of[name] = [*ARGUMENTS, *arguments]


def run_step(name, statements, {own_parameters}after=()):
    """Add the step that runs these statements, numbers such as 3-5,7."""
    arguments = ["--statements", statements, *STEP_ARGUMENTS]{own_arguments}
    add_step(name, *arguments, after=after)


def complete(workflow):
    """Add to the workflow that Couler built what Couler has no words for."""
    spec = workflow["spec"]
    del spec["affinity"]  # Couler always writes one, empty
    dag, *steps = spec.pop("templates")
    dag["name"] = spec["entrypoint"] = "{main}"
{fail_fast}    for step in steps:
        name, container = step["name"], step.pop("container")
        step.update(
            metadata={{"labels": {{"{label_step}": name}}}},
            **STEP,
            container={{**container, "args": arguments_of[name], **CONTAINER}},
        )
    spec.update(WORKFLOW, templates=[dag, *steps])
    return {{**workflow, "metadata": METADATA}}


class Printer(ArgoSubmitter):
    """Prints what Couler would send to a cluster."""

    def __init__(self):
        """Do without the cluster that Couler would look for."""

    def submit(self, workflow, secrets=None):
        """Print the ConfigMap and the workflow."""
        print_yaml(config_map, complete(workflow))

{yaml_dump}
Dumper.add_multi_representer(dict, Dumper.represent_dict)

config_map = {{
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": METADATA,
    "immutable": True,
    "data": {data},
}}

{config}
{steps}

couler.run(submitter=Printer())
'''


_FAIL_FAST = """\
    dag["failFast"] = True  # once a step has failed, no other one starts
"""
"""That of the template, which Argo asks before it starts a step; `dag.failFast` does not keep other branches from going
on. It counts an attempt that failed like a step that did, so a run with retries does without: there a step finds out
by itself (`sqlflow_runtime.attempts`)."""


class CoulerCodegen:
    """Code generator of the `argo` backend. Stateless: safe to use from many threads."""

    backend = "argo"

    def gen_code(self, statements: Program, options: RunOptions | None = None) -> str:
        """A readable, standalone Couler program; `python program.py` prints a ConfigMap and a Workflow as YAML.

        Raises:
            CodegenError: the program has no statement, Argo would refuse the run's name, or would substitute in
                one of the options' texts.
        """
        options, carried = shield(options or RunOptions(), _substituted, "Argo")
        steps = checked_steps(statements, options)
        return _TEMPLATE.format(
            **common_parts(statements, steps, options, carried),
            metadata=literal(metadata(options), prefix=len("METADATA = ")),
            workflow=literal(_workflow(options, carried), prefix=len("WORKFLOW = ")),
            step=literal(_step(options), prefix=len("STEP = ")),
            container=literal(_container(options), prefix=len("CONTAINER = ")),
            image=literal(options.image, prefix=len("IMAGE = ")),
            main=MAIN,
            fail_fast="" if options.retries > 0 else _FAIL_FAST,
            yaml_dump=YAML_DUMP,
            config=_config(options),
            steps=step_calls(steps),
        )

    def gen_yaml(self, code: str) -> str:
        """Run that program apart from this process, with limits, and return the YAML that it printed.

        Raises:
            CodegenError: it failed, exceeded a limit, or printed nothing.
        """
        return yaml_of(code, MODULES)


def _config(options: RunOptions) -> str:
    """The call that tells Couler what it has words for."""
    arguments = [f"name={literal(options.name)}"]
    if options.active_deadline_seconds is not None:
        arguments.append(f"timeout={options.active_deadline_seconds}")
    if options.service_account_name:
        arguments.append(f"service_account={literal(options.service_account_name)}")
    return call("couler.config_workflow", *arguments)


def _workflow(options: RunOptions, carried: Mapping[str, str]) -> dict[str, Any]:
    """The workflow's spec, but for what Couler says of it."""
    pods = pod(options)
    spec: dict[str, Any] = {"suspend": True} if options.suspend else {}
    spec |= {
        "archiveLogs": False,
        "podMetadata": pod_metadata(options),
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "volumes": program_volumes(options, carried),
    }
    for key in ("imagePullSecrets", "nodeSelector", "tolerations", "affinity"):
        if key in pods:
            spec[key] = pods[key]
    if options.ttl_seconds_after_finished is not None:
        # Pods hold the only copy of the logs: they live as long as the workflow, whatever the controller's default.
        ttl = options.ttl_seconds_after_finished
        spec["ttlStrategy"] = {"secondsAfterCompletion": ttl}
        spec["podGC"] = {"strategy": "OnWorkflowCompletion", "deleteDelayDuration": f"{ttl}s"}
    return spec


def _step(options: RunOptions) -> dict[str, Any]:
    """What all templates of steps share. The DAG itself is never retried: that would run finished steps again."""
    if options.retries <= 0:
        return {}
    return {
        "retryStrategy": {
            "limit": options.retries,
            "retryPolicy": "Always",
            "expression": f"asInt(lastRetry.exitCode) not in {list(FINAL_EXIT_CODES)}",
            # As a batch/v1 Job waits between its pods.
            "backoff": {"duration": "10", "factor": 2, "cap": "6m"},
        }
    }


def _container(options: RunOptions) -> dict[str, Any]:
    """What the containers of all steps share, but for what Couler says of them."""
    shared = container(options, {"value": "{{workflow.uid}}"})
    del shared["image"]
    shared["securityContext"] = restricted(shared["securityContext"])
    return shared


def _substituted(text: str) -> str | None:
    found = re.search(r"\{\{.*?(\}\}|$)", text, re.DOTALL)
    return found[0] if found else None
