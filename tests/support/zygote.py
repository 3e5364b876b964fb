"""A process that has imported all that steps need, and makes each step by a fork: real processes without their imports.

It reads one JSON object a line: `arguments`, `env` and `output`, a file; and answers with the step's PID, then with
its exit code, negative for a signal.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PRELOADED = (
    *("sqlflow_runtime.step", "sqlflow_runtime.execute", "sqlflow_runtime.plain", "sqlflow_runtime.ml.train"),
    *("sqlflow_runtime.ml.predict", "sqlflow_runtime.ml.evaluate", "sqlflow_runtime.ml.xgboost_models"),
    *("sqlflow_runtime.databases.postgres_connect", "sqlflow_runtime.databases.postgres_results"),
    *("sqlflow_runtime.databases.mysql_connect", "sqlflow_runtime.databases.mysql_results", "highspy", "xgboost"),
)
"""Importing them starts no thread, so that a fork is safe."""


class Zygote:
    """The process, from outside."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from tests.support.zygote import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parents[2],
        )

    def run(
        self, arguments: Sequence[str], env: Mapping[str, str], output: Path, begun: Callable[[int], None]
    ) -> tuple[int, str]:
        """Run a step to its end; returns its exit code and output. `begun` gets its PID."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {"arguments": list(arguments), "env": dict(env), "output": str(output)}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        begun(int(self._process.stdout.readline()))
        code = int(self._process.stdout.readline())
        return code, output.read_text(encoding="utf-8")

    def close(self) -> None:
        self._process.communicate(timeout=60)


def main() -> None:
    for name in PRELOADED:
        importlib.import_module(name)
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if not pid:
            _step(asked)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _step(asked: dict) -> None:
    """Become the step."""
    with Path(asked["output"]).open("wb") as output:
        for number in (1, 2):
            os.dup2(output.fileno(), number)
    os.environ.update(asked["env"])
    sys.argv = ["sqlflow-step", *asked["arguments"]]
    from sqlflow_runtime.step import main as run

    code = 1
    try:
        run()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
