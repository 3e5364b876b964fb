"""docs/architecture.md names every room and every file, as the tree has them."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "architecture.md"


def test_the_page_is_the_one_that_the_tree_gives() -> None:
    assert runpy.run_path(str(ROOT / "docs" / "architecture.py"))["page"]() == PAGE.read_text(encoding="utf-8")


def test_the_page_names_every_file_once_with_its_job() -> None:
    listed: list[str] = []
    for section in PAGE.read_text(encoding="utf-8").split("\n## `")[1:]:
        room = section.partition("`")[0]
        rows = re.findall(r"^\| `([^`]+)` \| (.+) \|$", section, re.MULTILINE)
        assert all(len(job.split()) >= 2 for _, job in rows)
        listed += [f"{room}/{name}" for name, _ in rows]
    rooms = ("cli/sqlflow_cli", "operator/sqlflow_operator", "runtime/sqlflow_runtime", "codegen/sqlflow_codegen")
    files = [
        str(path.relative_to(ROOT))
        for room in (*rooms, "codegen/fluid", "cluster/devcluster")
        for path in (ROOT / room).rglob("*.py")
        if path.name != "__init__.py" and "examples" not in path.parts
    ]
    assert sorted(listed) == sorted(files)


def test_no_two_rooms_import_each_other_but_a_room_and_its_own_inner_one() -> None:
    arrows = set(re.findall(r"^  (\S+) --> (\S+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert len(arrows) > 10
    both_ways = {(a, b) for a, b in arrows if (b, a) in arrows}
    assert all(a.startswith(f"{b}.") or b.startswith(f"{a}.") for a, b in both_ways)
