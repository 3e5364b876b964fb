"""The errors of a program, in the form of a compiler's messages.

One root, `SQLFlowError`, for every error that a person can cause; `ProgramError` carries all findings of one
program at once.
"""

from __future__ import annotations

from dataclasses import dataclass


class SQLFlowError(Exception):
    """Root of every error that a person can cause and correct."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    Attributes:
        code: stable kebab-case identifier, such as `syntax-error` or `unknown-attribute`.
        message: one sentence, without the place.
        statement: number of the statement, from 1; 0 where no statement can be named.
        line, column: place in the program, from 1.
        hint: what to do about it; "" if there is nothing to add.
        severity: "error", "warning" or "note".
    """

    code: str
    message: str
    statement: int
    line: int
    column: int
    hint: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        place = (
            f"statement {self.statement}, {self.line}:{self.column}" if self.statement else f"{self.line}:{self.column}"
        )
        return f"{place}: {self.message}" + (f" Hint: {self.hint}" if self.hint else "")


class ProgramError(SQLFlowError):
    """The program cannot run as written; `diagnostics` holds every error found, in program order."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__("\n".join(map(str, diagnostics)))
        self.diagnostics = diagnostics


class CodegenError(SQLFlowError):
    """A generated or hand-written workflow program failed, ran out of its limits, or printed no YAML."""
