"""The protocol of the sandbox's client and server.

For each program the client makes a socket pair and sends one end, with the limits, over the control socket. Over
the other end it sends the program and reads the child's `ProgramOutput` and, always last, the server's trailer.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass

REQUEST = struct.Struct("!ddQ")
"""Wall seconds, CPU seconds, bytes of memory."""

TRAILER = struct.Struct("!4si?")
"""The mark, the child's exit code (negative for a signal), and whether the server killed it for its wall time."""

TRAILER_MARK = b"\0END"
"""No result can hold it: those are ASCII JSON."""

PROGRAM_NAME = "program.py"
"""The file name of the program in tracebacks."""


@dataclass(frozen=True, slots=True)
class ProgramOutput:
    """The child's answer: the program's output, or its error.

    `line` is the program's line, from 1, where it failed; 0 if unknown or not failed.
    """

    stdout: str = ""
    error: str = ""
    line: int = 0
    source: str = ""

    def dump(self) -> bytes:
        """Return the answer as bytes; lone surrogates travel too."""
        return json.dumps(asdict(self)).encode("ascii")

    @staticmethod
    def load(data: bytes) -> ProgramOutput | None:
        """Return the answer in those bytes; None where the child ended before it had sent all."""
        try:
            return ProgramOutput(**json.loads(data))
        except (ValueError, TypeError):
            return None
