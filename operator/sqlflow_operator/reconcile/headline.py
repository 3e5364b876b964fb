"""The one short line that `kubectl get` shows, made from the whole message of a job's state."""

from __future__ import annotations

import re
from collections.abc import Callable

HEADLINE_LENGTH = 72
"""Characters of the line: with the other columns of `kubectl get` it fits into 140."""

_STEP = re.compile(r"^Step \S+ failed(?: \([^)]*\))?: ")
_TITLE = re.compile(r"(?<=statement )(\d+) \((?:[^()]|\([^()]*\))*\)(?= at \d)", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[^.\s][.!?]) (?=[A-Z])")


def headline(message: str) -> str:
    """The message in one line, shortened if it must be: first the advice goes, then the step, then the title."""
    text = message
    for shorten in _MEASURES:
        if len(text) <= HEADLINE_LENGTH:
            break
        text = shorten(text)
    return text


def _first_sentence(text: str) -> str:
    return _SENTENCE.split(text, maxsplit=1)[0]


def _without_step(text: str) -> str:
    rest = _STEP.sub("", text)
    return rest[:1].upper() + rest[1:]


def _without_title(text: str) -> str:
    return _TITLE.sub(r"\1", text, count=1)


def _cut(text: str) -> str:
    """The text up to a blank, and `…`; in the middle of a word if there is no blank near the end."""
    cut = text[: HEADLINE_LENGTH - 1]
    blank = cut.rfind(" ")
    return (cut[:blank] if blank > HEADLINE_LENGTH - 16 else cut).rstrip(" ,;:(") + "…"


_MEASURES: tuple[Callable[[str], str], ...] = (_first_sentence, _without_step, _without_title, _cut)
