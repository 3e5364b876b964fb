"""Make the project's virtual environment, or renew its pins.

Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"

LOCKED = {
    "dev": ("--all-extras",),
    "step": ("--extra", "runtime", "--extra", "neural", "--extra", "s3"),
    "step-slim": ("--extra", "runtime", "--extra", "s3"),
    "operator": ("--extra", "operator"),
    "build": ("--only-group", "build"),
}
"""The lock files, by what of `pyproject.toml` each one pins. All take their versions from the first."""

OLDEST = (3, 12)
"""The oldest Python that the project's libraries have releases for."""

UNUSED = ("docker",)
"""Packages that a dependency asks for and nothing here imports: `couler-scanflow` pins an old Docker client."""


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
    """Create or complete `target`; the file .ready in it marks it as complete."""
    if not (target / "bin" / "pip").exists():
        _create(target)
    python = str(target / "bin" / "python")
    locked = ["--no-deps", "--require-hashes", "-r", str(LOCKS / "dev.txt")]
    project = ["--no-deps", "--no-build-isolation", "-e", "."]
    uv = shutil.which("uv")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    # uv takes seconds where pip takes a minute, but it does not read pip's own configuration: pip is the fallback.
    packages = uv and _run("Python packages (uv)", [uv, "pip", "install", "--quiet", "--python", python, *locked])
    packages = packages or _run("Python packages (pip; about a minute on two cores)", [*pip, *locked])
    if not (packages and _run("This project", [*pip, *project])):
        sys.exit(1)
    (target / ".ready").touch()


def _create(target: Path) -> None:
    """An empty environment with pip; some distributions keep pip's bootstrap in a package of its own."""
    try:
        venv.create(target, with_pip=True, clear=target.exists())
    except subprocess.CalledProcessError:
        sys.exit(f"{sys.executable} cannot bootstrap pip: install your distribution's python3-venv package")


def lock(*, upgrade: bool) -> None:
    """Pin what `pyproject.toml` asks for, with hashes: new requirements only, or all in their newest versions."""
    with tempfile.TemporaryDirectory() as directory:
        uv = shutil.which("uv") or _install_uv(Path(directory))
        for name, chosen in LOCKED.items():
            command = [uv, "pip", "compile", "--quiet", "--universal", "--python-version", "3.12", "--generate-hashes"]
            command += [
                "--no-annotate",
                "--no-header",
                *(part for unused in UNUSED for part in ("--no-emit-package", unused)),
            ]
            source = ["pyproject.toml"]
            if name != "dev":
                command += ["--constraint", str(LOCKS / "dev.txt")]
            if name == "build":
                source, chosen = [], ("--group", "build")
            command += ["--upgrade"] if upgrade else []
            if not _run(f"Lock {name}", [*command, *chosen, *source, "--output-file", str(LOCKS / f"{name}.txt")]):
                sys.exit(1)


def _install_uv(directory: Path) -> str:
    """A uv of its own, for a machine that has none."""
    _create(directory)
    if not _run(
        "uv", [f"{directory}/bin/python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "uv"]
    ):
        sys.exit(1)
    return f"{directory}/bin/uv"


def _newer_python() -> str | None:
    """A Python that is new enough, where the usual one is not: on the PATH, or one that pyenv has installed."""
    names = ("python3.13", "python3.12", "python3.14")
    pyenv = sorted((Path.home() / ".pyenv" / "versions").glob("3.*/bin/python3.*"), reverse=True)
    found = [*filter(None, map(shutil.which, names)), *(str(path) for path in pyenv if path.name in names)]
    return next(filter(_is_new_enough, found), None)


def _is_new_enough(python: str) -> bool:
    """Whether that interpreter starts and is new enough: pyenv puts names on the PATH that only print an error."""
    test = f"import sys, ensurepip, venv; sys.exit(sys.version_info < {OLDEST})"
    return subprocess.run([python, "-c", test], capture_output=True, check=False).returncode == 0


def main() -> None:
    """Command line: `environment.py DIRECTORY`, `environment.py --lock` or `environment.py --upgrade`."""
    if sys.version_info < OLDEST:
        newer = _newer_python()
        if newer is None:
            have = sys.version.split()[0]
            sys.exit(f"Python 3.12 or newer is needed, this is {have}: install one, or run `make PYTHON=… venv`")
        os.execv(newer, [newer, *sys.argv])  # noqa: S606 - the same program, with another interpreter
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", nargs="?", type=Path, default=ROOT / ".venv")
    parser.add_argument("--lock", action="store_true", help="add pins for new requirements")
    parser.add_argument("--upgrade", action="store_true", help="renew all pins")
    arguments = parser.parse_args()
    if arguments.lock or arguments.upgrade:
        lock(upgrade=arguments.upgrade)
    else:
        make(arguments.directory)


if __name__ == "__main__":
    main()
