"""Entry point of the `sqlflow` command. What it imports may not be installed, so `app` is imported late."""

from __future__ import annotations

from collections.abc import Callable

from sqlflow_codegen.commands import run_command


def main() -> None:
    """Run the command and leave the process with its exit code."""

    def start() -> Callable[[], None]:
        from sqlflow_cli.app import app

        return app

    run_command("sqlflow", "cli", start)


if __name__ == "__main__":
    main()
