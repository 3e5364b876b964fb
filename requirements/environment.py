"""Make the project's virtual environment, or renew its pins.

Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "requirements" / "constraints.txt"


def _run(title: str, command: list[str]) -> bool:
    """Run a command with a line of progress; on failure print the end of its output. Returns whether it succeeded.

    Everything goes to stderr: scripts read the standard output of `make -s env`, which may have to make .venv first.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT)
        done = threading.Event()
        ticker = threading.Thread(target=_tick, args=(title, started, done), daemon=True)
        ticker.start()
        code = process.wait()
        done.set()
        ticker.join()
        end = "\r" if sys.stderr.isatty() else ""
        print(
            f"{end}{title}: {'done' if code == 0 else 'failed'} ({time.monotonic() - started:.0f} s)",
            flush=True,
            file=sys.stderr,
        )
        if code:
            log.seek(0)
            print("".join(log.readlines()[-30:]), file=sys.stderr, flush=True)
    return code == 0


def _tick(title: str, started: float, done: threading.Event) -> None:
    """On a terminal, count the seconds in place; elsewhere say once that it has begun."""
    if not sys.stderr.isatty():
        print(f"{title} ...", flush=True, file=sys.stderr)
        return
    while not done.wait(1):
        print(f"\r{title} ... {time.monotonic() - started:.0f} s", end="", flush=True, file=sys.stderr)


def make(target: Path) -> None:
    """Create or complete `target`; the file .ready in it says that it is whole."""
    if not (target / "bin" / "pip").exists():
        _create(target)
    python = str(target / "bin" / "python")
    packages = ["-c", str(CONSTRAINTS), "-e", ".[dev]"]
    uv = shutil.which("uv")
    # uv takes seconds where pip takes a minute, but it does not read pip's own configuration: pip has the last word.
    if not (uv and _run("Python packages (uv)", [uv, "pip", "install", "--quiet", "--python", python, *packages])):
        pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        if not _run("Python packages (pip; about a minute on two cores)", [*pip, *packages]):
            sys.exit(1)
    (target / ".ready").touch()


def _create(target: Path) -> None:
    """An empty environment with pip; some distributions keep pip's bootstrap in a package of its own."""
    try:
        venv.create(target, with_pip=True, clear=target.exists())
    except subprocess.CalledProcessError:
        sys.exit(f"{sys.executable} cannot bootstrap pip: install your distribution's python3-venv package")


def lock() -> None:
    """Resolve the newest versions in a fresh environment and write them to constraints.txt."""
    with tempfile.TemporaryDirectory() as directory:
        _create(Path(directory))
        pip = [f"{directory}/bin/python", "-m", "pip", "--disable-pip-version-check"]
        if not _run("Newest packages", [*pip, "install", "--quiet", "-e", ".[dev,bench]", "hatchling"]):
            sys.exit(1)
        frozen = subprocess.run([*pip, "freeze", "--exclude-editable"], check=True, capture_output=True, text=True)
    CONSTRAINTS.write_text(frozen.stdout, encoding="utf-8")


def main() -> None:
    """Command line: `environment.py DIRECTORY` or `environment.py --lock`."""
    if sys.version_info < (3, 11):  # noqa: UP036 - said to a person with an older Python
        have = sys.version.split()[0]
        sys.exit(f"Python 3.11 or newer is needed, this is {have}: run `make PYTHON=python3.12 venv`")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", nargs="?", type=Path, default=ROOT / ".venv")
    parser.add_argument("--lock", action="store_true")
    arguments = parser.parse_args()
    if arguments.lock:
        lock()
    else:
        make(arguments.directory)


if __name__ == "__main__":
    main()
