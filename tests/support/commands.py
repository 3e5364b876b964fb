"""Running a command in this process: a start of Python and its imports cost more than most commands do."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from unittest import mock


def run_here(
    main: Callable[[], None], arguments: Sequence[str], text: str = "", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Call the main function of a command as if it had been started; what is read and written passes through files.

    Args:
        main: the function; it may leave by SystemExit.
        arguments: of the command line, the command's own name first.
        text: its standard input.
        env: variables of its environment besides those of this process.
    """
    with ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
        files[0].write(text.encode())
        files[0].seek(0)
        with ExitStack() as changed:
            changed.enter_context(mock.patch.dict(os.environ, env or {}))
            changed.enter_context(mock.patch.object(sys, "argv", list(arguments)))
            for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
                kept = os.dup(number)
                changed.callback(os.close, kept)
                changed.callback(os.dup2, kept, number)
                os.dup2(files[number].fileno(), number)
                stream = changed.enter_context(open(number, mode, encoding="utf-8", closefd=False))
                changed.enter_context(mock.patch.object(sys, name, stream))
            code = _exit_code(main)
        written = []
        for file in files[1:]:
            file.seek(0)
            written.append(file.read().decode())
    return subprocess.CompletedProcess(list(arguments), code, *written)


def _exit_code(main: Callable[[], None]) -> int:
    try:
        main()
    except SystemExit as error:
        return int(error.code or 0)
    return 0
