"""What the backends whose engines run a DAG have in common: checks, and the program's steps as calls."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlflow_codegen.backend import RunOptions
from sqlflow_codegen.contract import LABEL_STEP, PROGRAM_FILE
from sqlflow_codegen.errors import CodegenError
from sqlflow_codegen.graph import Step, plan_steps
from sqlflow_codegen.language.ir import Program
from sqlflow_codegen.literals import call, count, literal, text_literal
from sqlflow_codegen.manifests import own_arguments, pod, program_arguments, step_arguments
from sqlflow_codegen.ranges import format_ranges
from sqlflow_codegen.sandbox import run_program

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NAME_LIMIT = 63

_OWN_ARGUMENTS = {
    "session": """
    if session:  # statements of other steps such as SET, run before these
        arguments += ["--session", session]""",
    "repeat": """
    if repeat:  # those of these statements that a retry runs again although they are done
        arguments += ["--repeat", repeat]""",
    "lost": """
    if lost:  # those of these statements at which a retry cannot go on: its session lacks what they need
        arguments += ["--lost", lost]""",
}
"""Source of what passes on an argument that only some steps have."""


def checked_steps(program: Program, options: RunOptions) -> tuple[Step, ...]:
    """The program's steps.

    Raises:
        CodegenError: the program has no statement, or the run's name is none that the engines accept.
    """
    if len(options.name) > _NAME_LIMIT or not _NAME.fullmatch(options.name):
        raise CodegenError(
            f"the run's name {options.name!r} must be at most {_NAME_LIMIT} lower-case letters, digits, '-' and '.'"
        )
    steps = plan_steps(program, options.ordering, fusion=options.fusion)
    if not steps:
        raise CodegenError("the program has no statement")
    return steps


def step_calls(steps: tuple[Step, ...], indent: int = 0) -> str:
    """The lines of a generated program that add the steps to the DAG: `run_step("s3-sql", "3-5", after=["s1-sql"])`."""
    return "\n".join(_call("run_step", _arguments(step), step.after, indent) for step in steps)


def common_parts(
    program: Program, steps: tuple[Step, ...], options: RunOptions, carried: Mapping[str, str]
) -> dict[str, str]:
    """Source of what every engine's program holds, by its names in the program's template.

    Args:
        program: the SQL program.
        steps: its steps.
        options: the run's options, with nothing in them that the engine would substitute.
        carried: what else the ConfigMap carries, by key.
    """
    given = {name for step in steps for name in own_arguments(step)}
    own = [name for name in _OWN_ARGUMENTS if name in given]
    return {
        "statements": count(len(program), "statement") + " in " + count(len(steps), "step"),
        "program": text_literal(program.text),
        "arguments": literal(program_arguments(program.dialect), prefix=len("ARGUMENTS = ")),
        "step_arguments": literal(step_arguments(options), prefix=len("STEP_ARGUMENTS = ")),
        "own_parameters": "".join(f"{name}=None, " for name in own),
        "own_arguments": "".join(_OWN_ARGUMENTS[name] for name in own),
        "label_step": LABEL_STEP,
        "data": _config_map_data(carried),
    }


def yaml_of(code: str, modules: tuple[str, ...]) -> str:
    """What a generated program prints, run apart from this process with those modules imported.

    Raises:
        CodegenError: it failed, exceeded a limit, or printed nothing.
    """
    text = run_program(code, modules)
    if not text.strip():
        raise CodegenError("the workflow program printed no YAML")
    return text


def restricted(security_context: Mapping[str, Any]) -> dict[str, Any]:
    """The security context of a step's container, with what a pod's would say.

    The engines add containers of their own to a pod, whose images may run as root: the pod's context says nothing
    that only the step must obey.
    """
    return {"runAsNonRoot": True, **security_context}


def program_volumes(options: RunOptions, carried: Mapping[str, str]) -> list[dict[str, Any]]:
    """The pods' volumes; of a ConfigMap that carries more than the program, the steps see only the program."""
    volumes: list[dict[str, Any]] = pod(options)["volumes"]
    if carried:
        files = [{"key": PROGRAM_FILE, "path": PROGRAM_FILE}]
        volumes[0]["configMap"]["items"] = files
    return volumes


def _config_map_data(carried: Mapping[str, str]) -> str:
    if not carried:
        return f'{{"{PROGRAM_FILE}": PROGRAM}}'
    entries = {PROGRAM_FILE: "PROGRAM", **{key: literal(value) for key, value in carried.items()}}
    return "{\n" + "".join(f"        {literal(k)}: {v},\n" for k, v in entries.items()) + "    }"


def _arguments(step: Step) -> list[str]:
    own = [f"{name}={literal(value)}" for name, value in own_arguments(step).items()]
    return [literal(step.name), literal(format_ranges(step.statements)), *own]


def _call(function: str, arguments: list[str], after: Sequence[str], indent: int) -> str:
    if after:
        arguments = [*arguments, f"after={literal(list(after), indent + 1, len('after=,'))}"]
    return call(function, *arguments, indent=indent)
