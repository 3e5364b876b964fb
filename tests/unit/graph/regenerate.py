"""Writes the golden files anew, for a person to read the difference: `python tests/unit/graph/regenerate.py`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.unit.graph.test_examples import GOLDEN, PROGRAMS, golden

if __name__ == "__main__":
    for program in PROGRAMS:
        (GOLDEN / f"{program.stem}.json").write_text(golden(program), encoding="utf-8")
