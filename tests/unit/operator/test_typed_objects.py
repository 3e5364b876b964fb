"""mypy, as this project configures it, finds a misspelled field of a Kubernetes object however it is read."""

from __future__ import annotations

import re
from pathlib import Path

from mypy import api

ROOT = Path(__file__).parents[3]
MODULE = """
from typing import TypedDict

class Status(TypedDict, total=False):
    phase: str

class Pod(TypedDict, total=False):
    status: Status

def read(pod: Pod) -> tuple[object, ...]:
    status = pod.get("status") or {}
    right = status.get("phase") == "Failed", pod.get("status", {}), status["phase"]
    compared = status.get("compared") == "Failed"
    printed = str((pod.get("status") or {}).get("printed") or "")
    return right, compared, printed, pod["indexed"], pod.get("with a default", {})
"""


def test_misspelled_fields_are_errors(tmp_path: Path) -> None:
    module = tmp_path / "reads.py"
    module.write_text(MODULE)
    cache = ["--cache-dir", str(tmp_path / "cache")]
    output, errors, _ = api.run(["--config-file", str(ROOT / "pyproject.toml"), *cache, str(module)])
    assert not errors
    keys = re.findall(r'TypedDict "\w+" has no key "([^"]+)"', output)
    assert keys == ["compared", "printed", "indexed", "with a default"]
