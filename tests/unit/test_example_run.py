"""The example of TO RUN gives the bins that it should: here on SQLite, without its image."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sqlflow_codegen.contract import parse_record

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "02-run"
ROWS = {
    5: [[0, 0.0, 3.0, 3], [1, 3.0, 6.0, 3], [2, 6.0, 9.0, 3], [3, 9.0, 12.0, 3]],
    6: [[0, 1.0, 10.0, 4], [1, 10.0, 100.0, 3], [2, 100.0, 1000.0, 5]],
    7: [[0, 0, 3], [1, 0, 1], [1, 1, 2], [2, 1, 1], [2, 2, 2], [3, 2, 3]],
}


def test_the_example(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sqlflow_cli", "run", str(EXAMPLE / "program.sql"), "--format", "json"]
    command += ["--database", f"sqlite:///{tmp_path}/parts.db", "--without-images"]
    env = os.environ | {"PYTHONPATH": str(EXAMPLE)}
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=100, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    records = [record for line in done.stdout.split("\n") if (record := parse_record(line))]
    rows: dict[int, list[object]] = {}
    for record in records:
        if record["type"] == "row":
            rows.setdefault(record["statement"], []).append(record["values"])
    assert rows == ROWS
    (run,) = (one for one in records if one["type"] == "statement_finished" and one["statement"] == 4)
    assert run["rows"] == 13


def test_the_job_has_the_same_program() -> None:
    import yaml

    job = yaml.safe_load((EXAMPLE / "job.yaml").read_text(encoding="utf-8"))
    assert job["spec"]["program"] == (EXAMPLE / "program.sql").read_text(encoding="utf-8")
