"""Rules for values of attributes, in a notation short enough to be both the data and the message.

`int [1,inf) | float (0,1] | {sqrt,log2} | none` allows a whole number from 1, a number over 0 up to 1, two words, or
the word none. `float` takes whole numbers too, `bool` is true or false, `str` any text, `list` any list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the language reads its column functions' arguments by these rules: no import back
    from sqlflow_codegen.language.ir import Value

_ALTERNATIVE = re.compile(
    r"(?P<kind>int|float|bool|str|list|none)(?: (?P<low>[\[(])(?P<from>[^,]+),(?P<to>[^\])]+)(?P<high>[\])]))?\Z"
    r"|\{(?P<words>[^}]*)\}\Z"
)
_NONE = frozenset({"none", "null"})


@dataclass(frozen=True, slots=True)
class _Alternative:
    kind: str
    low: float = float("-inf")
    high: float = float("inf")
    low_open: bool = False
    high_open: bool = False
    words: tuple[str, ...] = ()

    def takes_type(self, value: Value) -> bool:
        match self.kind:
            case "bool":
                return isinstance(value, bool)
            case "int":
                return isinstance(value, int) and not isinstance(value, bool)
            case "float":
                return isinstance(value, (int, float)) and not isinstance(value, bool)
            case "list":
                return isinstance(value, tuple)
            case "none":
                return isinstance(value, str) and value.lower() in _NONE
        return isinstance(value, str)

    def takes(self, value: Value) -> bool:
        if not self.takes_type(value):
            return False
        if self.kind == "word":
            return value in self.words
        if self.kind not in ("int", "float") or not isinstance(value, (int, float)):
            return True
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return above and below


@cache
def _alternatives(rule: str) -> tuple[_Alternative, ...]:
    return tuple(map(_alternative, rule.split(" | ")))


def _alternative(text: str) -> _Alternative:
    match = _ALTERNATIVE.match(text)
    if match is None:
        raise ValueError(f"`{text}` is no rule for a value")
    if match["words"] is not None:
        return _Alternative("word", words=tuple(match["words"].split(",")))
    if match["low"] is None:
        return _Alternative(match["kind"])
    return _Alternative(
        match["kind"], float(match["from"]), float(match["to"]), match["low"] == "(", match["high"] == ")"
    )


def allows(rule: str, value: Value) -> bool:
    """True if the value keeps the rule."""
    return any(alternative.takes(value) for alternative in _alternatives(rule))


def words(rule: str) -> tuple[str, ...]:
    """The words that the rule allows, for suggestions."""
    return tuple(word for alternative in _alternatives(rule) for word in alternative.words)


def described(rule: str) -> str:
    """The rule in words of a message."""
    return (
        rule.replace("[-inf,", "(-inf,")
        .replace(" | ", " or ")
        .replace("{", "one of ")
        .replace("}", "")
        .replace(",", ", ")
    )


def fault(rule: str, value: Value) -> str:
    """The fault of a value that the rule does not allow: `wrong-type` or `out-of-range`."""
    of_type = any(alternative.takes_type(value) for alternative in _alternatives(rule))
    return "out-of-range" if of_type else "wrong-type"


def to_python(rule: str, value: Value) -> object:
    """The value as a Python library takes it: tuples become lists; the word none becomes None where it is allowed."""
    if isinstance(value, str) and value.lower() in _NONE and "none" in rule.split(" | "):
        return None
    return _plain(value)


def _plain(value: Value) -> object:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
