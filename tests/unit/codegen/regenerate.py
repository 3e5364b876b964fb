"""Writes the golden files anew, for a person to read the difference: `python tests/unit/codegen/regenerate.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from sqlflow_codegen.job import JobCodegen  # noqa: E402
from sqlflow_codegen.language import parse_program  # noqa: E402

from tests.unit.codegen import test_job, test_programs  # noqa: E402


def main() -> None:
    """All golden files."""
    codegen = JobCodegen()
    code = codegen.gen_code(parse_program(test_job.IRIS), test_job.OPTIONS)
    (test_job.GOLDEN / "iris-job.py.txt").write_text(code, encoding="utf-8")
    (test_job.GOLDEN / "iris-job.yaml").write_text(codegen.gen_yaml(code), encoding="utf-8")
    for path in test_programs.PROGRAMS:
        text = json.dumps(test_programs.golden(path), indent=1, ensure_ascii=False)
        (test_job.GOLDEN / f"{path.stem}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
