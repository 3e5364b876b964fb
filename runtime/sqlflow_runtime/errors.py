"""Errors of a step: a `RunError` has a message, a place and a hint, and an exit code."""

from __future__ import annotations

import re

from sqlflow_codegen.contract import (
    EXIT_DATABASE_UNREACHABLE,
    EXIT_LOST,
    EXIT_SKIPPED,
    EXIT_STATEMENT_FAILED,
    EXIT_STOPPED,
    EXIT_TRY_AGAIN,
    EXIT_USAGE,
)
from sqlflow_codegen.errors import SQLFlowError

_EXIT_CODES = {
    "connection": EXIT_DATABASE_UNREACHABLE,
    "usage": EXIT_USAGE,
    "stopped": EXIT_STOPPED,
    "lost": EXIT_LOST,
    "skipped": EXIT_SKIPPED,
}
_FINAL_KINDS = ("usage", "data", "estimator", "model", "lost", "skipped")

FINAL_SQLSTATES = ("0A", "0L", "20", "21", "22", "23", "26", "2B", "34", "3D", "3F", "42", "44", "54")
"""Classes of the SQL standard's codes that blame the program or its data: the same statement fails in the same way
again. Codes of other classes (a deadlock, a lock timeout, a full disk), and errors that a procedure of the user
raises (P0001, 45000), may pass."""


class RunError(SQLFlowError):
    """A step or a statement cannot go on.

    Attributes:
        kind: `database`, `connection`, `data`, `model`, `estimator`, `memory`, `usage`, `stopped`, `lost`, `skipped`
            or `internal` (see `sqlflow_codegen.contract.StepError`).
        message: what happened; the database's own words where it was the database.
        hint: what to do; "" if there is nothing to add.
        position: where in the SQL text that the database was given, in characters from 0; None if unknown.
        place: where in the program, in characters from 0; None if unknown. Wins over `position`.
        sqlstate: the database's five-character code; "" if it gave none.
        final: whether another attempt would fail in the same way.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        hint: str = "",
        *,
        position: int | None = None,
        place: int | None = None,
        sqlstate: str = "",
        final: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint
        self.position = position
        self.place = place
        self.sqlstate = sqlstate
        self.final = kind in _FINAL_KINDS if final is None else final


def exit_code(failure: RunError) -> int:
    """The exit code of a step that ends with that failure."""
    return _EXIT_CODES.get(failure.kind, EXIT_STATEMENT_FAILED if failure.final else EXIT_TRY_AGAIN)


def not_installed(error: ModuleNotFoundError) -> RunError:
    """The failure of a program that needs a library which is not installed."""
    package = (error.name or "").partition(".")[0]
    extra = "local" if package == "duckdb" else "runtime"
    return RunError(
        "usage",
        f"the Python package {package} is not installed here",
        f"pip install 'sqlflow-operator[{extra}]' brings it; [runtime,local] brings all that programs may need.",
    )


_LOCATION = re.compile(r"\A(?:\[[\d:]+\]\s*)?\S*/\S+:\d+:\s*")
"""The time and the place in its own source that a C++ library puts before its words."""


def unexpected(error: Exception) -> RunError:
    """The failure of a statement whose library raised an error that nobody foresaw: its kind and its first line."""
    if isinstance(error, ModuleNotFoundError):
        return not_installed(error)
    lines = _LOCATION.sub("", str(error).strip()).strip().splitlines()
    words = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return RunError("internal", words, "A library failed at this statement; `sqlflow run --verbose` shows where.")


def listed(names: list[str], limit: int = 20) -> str:
    """Names for a message: comma separated, at most `limit` of them."""
    shown = ", ".join(names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown
