"""Did-you-mean suggestions for misspelled names."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

_CUTOFF = 0.7
"""Share of letters that two names must have in common (`difflib`'s ratio)."""
_LONGEST = 64
"""Longer words are never compared: no known name is that long, and the comparison is quadratic in it."""


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known name that `word` most probably misspells, ignoring case; None if none is near."""
    return _closest(word.lower(), tuple(sorted(set(known)))) if len(word) <= _LONGEST else None


@lru_cache(maxsize=4096)
def _closest(lowered: str, known: tuple[str, ...]) -> str | None:
    from difflib import get_close_matches

    names = {name.lower(): name for name in known}
    near = get_close_matches(lowered, names, n=1, cutoff=_CUTOFF)
    return names[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`Did you mean ...?`, or "" if no known name is near."""
    match = closest(word, known)
    return f"Did you mean `{match}`?" if match else ""
