"""Docstrings and comments use the usual word in the usual order, so that a reader who searches for it finds it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("cli", "operator", "runtime", "codegen", "cluster", "examples")
FILES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
PAGES = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]

INVERTED = re.compile(r'^\s*"""(What|Whether|How|Why|That|Where|Which|Who|When)\b', re.MULTILINE)
DIALECT = {
    "tell": "report, show, record, say",
    "tells": "reports, shows, records, says",
    "told": "reported, recorded, configured",
    "telling": "reporting",
    "mend": "fix",
    "mended": "fixed",
}
WORD = re.compile(rf"\b({'|'.join(DIALECT)})\b", re.IGNORECASE)


def test_the_pattern_finds_an_inverted_docstring() -> None:
    assert INVERTED.search('def f():\n    """What it returns."""')
    assert not INVERTED.search('def f():\n    """The value that it returns."""')


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_code_is_in_plain_words(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [match[0].strip() for match in INVERTED.finditer(text)] == []
    assert [f"{word}: write {DIALECT[word.lower()]}" for word in WORD.findall(text)] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pages_are_in_plain_words(path: Path) -> None:
    found = WORD.findall(path.read_text(encoding="utf-8"))
    assert [f"{word}: write {DIALECT[word.lower()]}" for word in found] == []
