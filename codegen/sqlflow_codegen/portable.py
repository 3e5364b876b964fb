"""The portable copy of the step program, by which it runs in a container of any image.

An init container of the step image makes it (`sqlflow-step --copy-to FOLDER`), in a volume that the container of the
other image mounts. What is in it: `sqlflow_runtime.portable`.
"""

from __future__ import annotations

PORTABLE_DIR = "/sqlflow-run"
"""The folder where the volume with the copy is mounted."""

COPY_CONTAINER = "copy"
"""The name of the container that makes the copy; no step of a program has this name."""

LOADER, PYTHON, LIBRARIES, PACKAGES, MAIN = "ld.so", "bin/python3", "libs", "packages", "step.py"
"""The parts of the copy: the C library's loader, Python, shared libraries, Python's packages, the program."""


def portable_command(folder: str = PORTABLE_DIR) -> list[str]:
    """The command that starts the copy in that folder, without the step's own arguments.

    Python is isolated (`-I`): variables of the image such as PYTHONPATH are for the user's program.
    """
    python = f"{folder}/{PYTHON}"
    loaded = [f"{folder}/{LOADER}", "--library-path", f"{folder}/{LIBRARIES}", "--argv0", python, python]
    return [*loaded, "-I", "-S", f"{folder}/{MAIN}"]
