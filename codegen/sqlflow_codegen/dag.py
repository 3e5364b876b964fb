"""What the backends whose engines run a DAG have in common: checks, and the program's steps as calls."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlflow_codegen.backend import PROGRAM_FILE, RunOptions
from sqlflow_codegen.errors import CodegenError
from sqlflow_codegen.graph import Step, plan_steps
from sqlflow_codegen.language.ir import Program
from sqlflow_codegen.literals import call, literal
from sqlflow_codegen.manifests import pod, ranges, step_arguments

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NAME_LIMIT = 63

_FINISH = '''
def finish(after):
    """Add the step that runs when all others are done: it clears the run's ledger."""
    add_step("finish", "--finish", after=after)

'''

_SESSION = """
    if session:  # statements such as SET, run again before these
        arguments += ["--session", session]"""


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


def step_calls(steps: tuple[Step, ...], *, finish: bool, indent: int = 0) -> str:
    """The lines of a generated program that add the steps to the DAG: `run_step("s3-sql", "3-5", after=["s1-sql"])`.

    With `finish` the last one is `finish(after=[...])`, behind every step that no other waits for.
    """
    calls = [_call("run_step", _arguments(step), step.after, indent) for step in steps]
    if finish:
        needed = {name for step in steps for name in step.after}
        calls.append(_call("finish", [], [step.name for step in steps if step.name not in needed], indent))
    return "\n".join(calls)


def optional_parts(steps: tuple[Step, ...], *, finish: bool) -> dict[str, str]:
    """Parts of a generated program that only some programs need, by their names in its template."""
    session = any(step.session for step in steps)
    return {
        "finish": _FINISH if finish else "",
        "session_parameter": "session=None, " if session else "",
        "session_arguments": _SESSION if session else "",
    }


def shared_arguments(options: RunOptions) -> list[str]:
    """The arguments that all steps share. These engines never stop a step to suspend a run: no ledger for that."""
    return step_arguments(replace(options, suspend=False))


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


def config_map_data(carried: Mapping[str, str], indent: int = 1) -> str:
    """Source of the ConfigMap's data: the program, and what else it carries."""
    pad = "    " * indent
    if not carried:
        return f'{{"{PROGRAM_FILE}": PROGRAM}}'
    entries = {PROGRAM_FILE: "PROGRAM", **{key: literal(value) for key, value in carried.items()}}
    return "{\n" + "".join(f"{pad}    {literal(k)}: {v},\n" for k, v in entries.items()) + pad + "}"


def _arguments(step: Step) -> list[str]:
    arguments = [literal(step.name), literal(ranges(step.statements))]
    return [*arguments, f"session={literal(ranges(step.session))}"] if step.session else arguments


def _call(function: str, arguments: list[str], after: Sequence[str], indent: int) -> str:
    if after:
        arguments = [*arguments, f"after={literal(list(after), indent + 1, len('after=,'))}"]
    return call(function, *arguments, indent=indent)
