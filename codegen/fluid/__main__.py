"""`python -m fluid program.py`: run a program and print the manifests that it built, as YAML."""

from __future__ import annotations

import argparse
import runpy
import sys
import traceback
from contextlib import redirect_stdout
from pathlib import Path

from fluid.collector import collecting, dump
from fluid.errors import FluidError


def main(arguments: list[str] | None = None) -> int:
    """Print the YAML of every manifest that stands by itself: a pipeline inside a run is not printed again.

    What the program itself prints goes to stderr. Returns the exit code: 0, or 1 for an error in the program,
    which is reported with its line.
    """
    parser = argparse.ArgumentParser(
        prog="python -m fluid", description="Print the YAML of what a Fluid program builds."
    )
    parser.add_argument("program", type=Path, help="a Python file that builds tasks, pipelines or runs")
    program: Path = parser.parse_args(arguments).program
    try:
        sys.stdout.write(render(program))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except Exception as error:  # noqa: BLE001  (the program may raise anything: its line and one line say enough)
        print(_message(error, program), file=sys.stderr)
        return 1
    return 0


def _message(error: Exception, program: Path) -> str:
    """Return one line for an error of the program, with the place of its last line on the way to the error."""
    lines = [frame.lineno or 0 for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(program)]
    place = f"{program}:{(lines or [1])[-1]}"
    match error:
        case FluidError():
            return f"{place}: error: {error}"
        case SyntaxError():
            return f"{error.filename or program}:{error.lineno or 1}: error: {error.msg}"
        case OSError() if not lines:
            return f"{program}: error: {error.strerror or error}"
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{place}: error: {type(error).__name__}: {first}"


def render(program: Path) -> str:
    """Run the program and return the YAML of what it built.

    Raises:
        FluidError: it built nothing, or something wrong.
    """
    with collecting() as built, redirect_stdout(sys.stderr):
        runpy.run_path(str(program), run_name="__fluid__")
        manifests = [manifest for manifest in built if not manifest.embedded]
        if not manifests:
            raise FluidError("the program builds no task, pipeline or run.")
        return dump(*manifests)


if __name__ == "__main__":
    sys.exit(main())
