"""The example's program gives what its folder says: here on DuckDB, in tests/e2e on a real cluster."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlflow_codegen.contract import parse_record

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "01-iris"


def test_iris_example_gives_what_its_folder_says(tmp_path: Path) -> None:
    expected = json.loads((EXAMPLE / "expected.json").read_text(encoding="utf-8"))
    records = []
    for file in ("load.sql", "program.sql"):
        command = [sys.executable, "-m", "sqlflow_cli", "run", str(EXAMPLE / file), "--format", "json"]
        command += ["--database", f"duckdb:///{tmp_path}/iris.duckdb"]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=100)
        assert done.returncode == 0, done.stdout + done.stderr
        records = [record for line in done.stdout.split("\n") if (record := parse_record(line))]
    rows: dict[str, list[object]] = {}
    for record in records:
        if record["type"] == "row":
            rows.setdefault(str(record["statement"]), []).append(record["values"])
    assert rows == expected["rows"]
    (metrics,) = (record["values"] for record in records if record["type"] == "metrics")
    assert metrics == pytest.approx(expected["metrics"], abs=1e-4)
