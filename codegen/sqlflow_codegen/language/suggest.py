"""Did-you-mean suggestions for names that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

_LONGEST = 64
"""Longer words are never compared: no known name is that long, and the comparison is quadratic in it."""


def distance(left: str, right: str, limit: int) -> int:
    """Edits (insert, delete, replace, swap of neighbours) from one word to the other; `limit + 1` if more."""
    if abs(len(left) - len(right)) > limit or max(len(left), len(right)) > _LONGEST:
        return limit + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before, above, row = row, before, [i]
        for j, b in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` most probably was meant to be, ignoring case; None if none is near."""
    if len(word) > _LONGEST:
        return None
    return _closest(word.lower(), tuple(sorted(set(known))))


@lru_cache(maxsize=4096)
def _closest(lowered: str, known: tuple[str, ...]) -> str | None:
    limit = 1 if len(lowered) < 4 else 2 if len(lowered) < 9 else 3
    best: tuple[int, str] | None = None
    for candidate in known:
        edits = distance(lowered, candidate.lower(), limit)
        if edits <= limit and edits < len(lowered) and (best is None or edits < best[0]):
            best = (edits, candidate)
    return best[1] if best else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`Did you mean ...?`, or "" if no known word is near."""
    match = closest(word, known)
    return f"Did you mean `{match}`?" if match else ""
