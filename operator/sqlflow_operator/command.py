"""Entry point of `sqlflow-operator`. What it imports may not be installed, so `main` is imported late."""

from __future__ import annotations

import signal
from collections.abc import Callable

from sqlflow_codegen.commands import run_command


def main() -> None:
    """Run the operator and leave the process with its exit code."""

    def start() -> Callable[[], int]:
        from sqlflow_operator.main import main as run

        signal.signal(signal.SIGINT, signal.default_int_handler)  # asyncio then ends its tasks in order
        return run

    run_command("sqlflow-operator", "operator", start)


if __name__ == "__main__":
    main()
