"""The frame of every command of this distribution: an error becomes one line and an exit code, never a traceback."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from types import FrameType

from sqlflow_codegen.contract import EXIT_INTERRUPTED, EXIT_USAGE

EXIT_FAULT = 70
"""A fault of the command itself (EX_SOFTWARE of sysexits.h)."""

TRACEBACK_ENV = "SQLFLOW_TRACEBACK"
"""Environment variable that asks for the traceback of a fault."""

_OWN = ("fluid", "sqlflow_cli", "sqlflow_codegen", "sqlflow_operator", "sqlflow_runtime")


def run_command(name: str, extra: str, start: Callable[[], Callable[[], int | None]]) -> None:
    """Run a command and leave the process with its exit code.

    Args:
        name: of the command, for messages.
        extra: the extra of the distribution that brings all that it imports.
        start: imports the command and returns its main function; imports fail here where the extra lacks.
    """
    previous = signal.signal(signal.SIGINT, _interrupted)
    try:
        code = start()()
    except ModuleNotFoundError as error:
        code = _missing(name, extra, error)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001  (the process boundary: whatever it is becomes one line)
        code = _fault(name, error)
    finally:
        signal.signal(signal.SIGINT, previous)
    sys.exit(code or 0)


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    """Ctrl-C before or between what handles it in its own way."""
    print("interrupted", file=sys.stderr)
    raise SystemExit(EXIT_INTERRUPTED)


def _missing(name: str, extra: str, error: ModuleNotFoundError) -> int:
    package = (error.name or "").partition(".")[0]
    if package in _OWN or not package:
        return _fault(name, error)
    print(
        f"{name}: the Python package {package} is not installed: pip install 'sqlflow-operator[{extra}]'",
        file=sys.stderr,
    )
    return EXIT_USAGE


def _fault(name: str, error: Exception) -> int:
    if os.environ.get(TRACEBACK_ENV):
        traceback.print_exception(error)
    first = (str(error).strip().splitlines() or [""])[0]
    words = f"{type(error).__name__}: {first}" if first else type(error).__name__
    hint = f"This is a fault of {name}; {TRACEBACK_ENV}=1 shows where. Please report it."
    print(f"{name}: {words}\n  = hint: {hint}", file=sys.stderr)
    return EXIT_FAULT
