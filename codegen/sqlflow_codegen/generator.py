"""The code generators' common part: from statements to steps, and to a program of `programs` with the run's data."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlflow_codegen.backend import RunOptions, effective_ordering, runs_one_at_a_time
from sqlflow_codegen.errors import CodegenError
from sqlflow_codegen.graph import Step, plan_steps
from sqlflow_codegen.language.ir import Program
from sqlflow_codegen.manifests import (
    container,
    copy_container,
    metadata,
    own_arguments,
    own_container,
    shared_arguments,
)
from sqlflow_codegen.program_source import program_source
from sqlflow_codegen.ranges import format_ranges
from sqlflow_codegen.sandbox import run_program
from sqlflow_codegen.substitution import shield

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NAME_LIMIT = 63


class ProgramCodegen(ABC):
    """Code generator of a backend: a subclass adds the backend's own data. Stateless: safe to use from many threads.

    Attributes:
        backend: the backend's name.
        program: the name of its program in `programs`.
        modules: what that program imports, for the sandbox to import before.
        run_uid: `value` or `valueFrom` of an environment variable: the UID of the run's child.
        suspends_running: True if a suspended run ends a step that runs, which goes on later.
        one_pod: True if all steps run in one pod, which makes the portable copy once.
    """

    backend: str
    program: str
    modules: tuple[str, ...] = ()
    run_uid: ClassVar[Mapping[str, Any]]
    suspends_running = False
    one_pod = False

    def gen_code(self, statements: Program, options: RunOptions | None = None) -> str:
        """Return a readable, standalone program; `python program.py` prints a ConfigMap and the run's child as YAML.

        Raises:
            CodegenError: the program has no statement, the run's name is invalid, or the engine would substitute in
                one of the options' texts.
        """
        options, texts = shield(options or RunOptions(), self._substituted, self.backend.title())
        if len(options.name) > _NAME_LIMIT or not _NAME.fullmatch(options.name):
            raise CodegenError(
                f"the run's name {options.name!r} must be at most {_NAME_LIMIT} lower-case letters, digits, '-' and '.'"
            )
        steps = plan_steps(statements, effective_ordering(self.backend, options.ordering), fusion=options.fusion)
        if not steps:
            raise CodegenError("the program has no statement")
        for step in steps:
            if found := self._substituted(step.image):
                raise CodegenError(
                    f"the image {step.image!r} of step {step.name}: {self.backend} would replace {found!r}"
                )
        shared = container(options, self.run_uid)
        copies = [step.name for step in steps if step.kind == "run"]
        data = {
            "PROGRAM": statements.text,
            "METADATA": metadata(options),
            "CONTAINER": shared,
            "COPY": copy_container(shared) if copies else {},
            "ARGUMENTS": shared_arguments(options, statements.dialect, resumable=self.suspends_running),
            "STEPS": [self._step(step, options, shared, copies[: 1 if self.one_pod else None]) for step in steps],
        }
        return program_source(self.program, self._data(options, texts, data))

    def gen_yaml(self, code: str) -> str:
        """Run that program apart from this process, with limits, and return the YAML that it printed.

        Raises:
            CodegenError: it failed, exceeded a limit, or printed nothing.
        """
        text = run_program(code, self.modules)
        if not text.strip():
            raise CodegenError("the workflow program printed no YAML")
        return text

    @abstractmethod
    def _data(self, options: RunOptions, texts: Mapping[str, str], common: dict[str, Any]) -> dict[str, Any]:
        """Return the data of the backend's program; `texts` is what its ConfigMap carries besides the SQL program."""

    def _substituted(self, text: str) -> str | None:
        """Return the first piece of a text that the engine would substitute, None if there is none."""
        return None

    def _own(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the entries of a step's data that say by which fields its container is made, instead of the shared."""
        return {"own": fields}

    def _step(
        self, step: Step, options: RunOptions, shared: Mapping[str, Any], copies: Sequence[str]
    ) -> dict[str, Any]:
        after = {"after": list(step.after)} if step.after and not runs_one_at_a_time(self.backend) else {}
        own = self._own(own_container(options, step, shared)) if step.image else {}
        copy = {"copies": True} if step.name in copies else {}
        numbers = {"statements": format_ranges(step.statements), **own_arguments(step)}
        return {"name": step.name, **after, **numbers, **copy, **own}
