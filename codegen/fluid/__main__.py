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
        text = render(program)
    except FluidError as error:
        print(f"{program}:{_line(error, program)}: error: {error}", file=sys.stderr)
        return 1
    except SyntaxError as error:
        print(f"{error.filename or program}:{error.lineno or 1}: error: {error.msg}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except Exception as error:  # noqa: BLE001  (the program may raise anything: its line and one line say enough)
        words = (str(error).strip().splitlines() or [""])[0]
        if isinstance(error, OSError) and not _frames(error, program):
            print(f"{program}: error: {error.strerror or error}", file=sys.stderr)
        else:
            print(f"{program}:{_line(error, program)}: error: {type(error).__name__}: {words}", file=sys.stderr)
        return 1
    sys.stdout.write(text)
    return 0


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


def _line(error: BaseException, program: Path) -> int:
    """The last line of the program itself on the way to the error."""
    return (_frames(error, program) or [1])[-1]


def _frames(error: BaseException, program: Path) -> list[int]:
    frames = traceback.extract_tb(error.__traceback__)
    return [frame.lineno or 0 for frame in frames if frame.filename == str(program)]


if __name__ == "__main__":
    sys.exit(main())
