"""Programs whose lines YAML has joined (`program: >`): a comment then goes to the end of the program.

YAML folds the lines of a block that begins with `>`, of a plain text and of one in quotes. Only a comment to the end
of the line is affected.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlflow_codegen.language.dialects import normalize_dialect
from sqlflow_codegen.language.scanner import Scanner
from sqlflow_codegen.language.source import Problem, shortened

_OPENER = re.compile("--|#|//")
_HINT = "Write `program: |` in the manifest: otherwise YAML joins the lines, and the comment goes on to the end."
_STATEMENT = re.compile(
    r"\b(?:SELECT|INSERT\s+INTO|UPDATE|DELETE\s+FROM|CREATE|DROP|ALTER|TRUNCATE|COPY|MERGE|GRANT|WITH)\s+\S"
    r"|\bTO\s+(?:TRAIN|PREDICT|EVALUATE)\s+\S",
    re.IGNORECASE,
)


def swallowing_comment(text: str, dialect: str, written: Sequence[str]) -> Problem | None:
    """The first comment of a program that goes over an end of line in the manifest, whose lines are `written`."""
    lines = [line.rstrip() for line in written]
    ends = {line[opener.start() :] for line in lines for opener in _OPENER.finditer(line)}
    for start, end in Scanner(text, normalize_dialect(dialect)).line_comments():
        comment = text[start:end].rstrip()
        if comment not in ends:
            return _problem(comment, start)
    return None


def folded_comment(text: str, dialect: str) -> Problem | None:
    """The comment of a program in one line that has almost certainly swallowed statements; None if there is none.

    In it stands a statement behind other words, or more than one statement, or the only `;` of the program: nobody
    writes such a comment, and a statement that is commented out leaves the rest in lines of their own.
    """
    line = text.strip()
    if not line or re.search(r"[\r\n]", line):
        return None
    first = next(Scanner(text, normalize_dialect(dialect)).line_comments(), None)
    if first is None:
        return None
    start, end = first
    comment, before = text[start:end].strip(), text[:start].rstrip()
    words = comment.lstrip("-#/ ")
    ended = comment.rstrip().endswith(";")
    found = _STATEMENT.search(words)
    behind = found is not None and (found.start() > 0 or re.search(r";\s*\S", words) is not None)
    cut_off = ended and bool(before) and not before.endswith(";")
    if (behind and found is not None and ";" in words[found.start() :]) or cut_off:
        return _problem(comment, start)
    return None


def _problem(comment: str, start: int) -> Problem:
    message = f"the comment `{shortened(comment, 40)}` swallows statements after it"
    return Problem("folded-program", message, start, _HINT)
