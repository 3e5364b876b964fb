"""The items that `fetch` delivers: messages for people, results as Python values.

Each item names its step, attempt and statement.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Json:
    """A JSON value, an array or a structure of the database, as text. So SQL's NULL and JSON's null stay apart."""

    text: str

    @property
    def value(self) -> Any:
        """The value. Numbers with a point are floats: `text` has all their digits.

        Raises:
            ValueError: it is no JSON, such as a structure in the database's own notation.
        """
        return json.loads(self.text)


@dataclass(frozen=True, slots=True)
class Text:
    """A value of a type that Python has no lossless type for, as the database writes it.

    Attributes:
        kind: `interval`, always; `date`, `time`, `timestamp` where the value is beyond Python's (`infinity`, years
            before 1 or after 9999, nanoseconds, 24:00:00); the tag of a cell that this version does not know.
        text: the value.
    """

    kind: str
    text: str


Value = None | bool | int | float | str | bytes | Decimal | date | time | datetime | Json | Text
"""A cell. A timestamp is a `datetime`, with a time zone where the database gave its offset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item of a run's output.

    Attributes:
        step: the name of the step; "" for the run as a whole.
        attempt: the number of the attempt at the step, from 1; 0 if there was none.
        statement: the number of the statement in the program; 0 for none.
    """

    step: str = ""
    attempt: int = 0
    statement: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Item):
    """A line for a person; `str()` of it is that line, `SQLFlow Step: [i/n] …`.

    Attributes:
        text: the line.
        level: `info`, `warning` or `error`, or a library's level of its log line.
        source: `status` for phases of steps and statements, `progress` for how far a training is, `log` for the words
            of the step itself.
    """

    text: str
    level: str = "info"
    source: str = "status"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns(Item):
    """A result begins. It replaces an earlier one of the statement, of an attempt that came to nothing."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    """The names that the database gives them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Item):
    """A row of the result that began last in that step.

    Attributes:
        values: one for each column.
        truncated: positions, from 0, of the values that are cut short.
    """

    values: tuple[Value, ...]
    truncated: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics(Item):
    """The metrics that an EVALUATE measured."""

    model: str
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model(Item):
    """The model that a TRAIN stored."""

    name: str
    version: int
    estimator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Item):
    """The progress of a training.

    Attributes:
        iteration: rounds or epochs that are done, from 1.
        total: how many there will be at most; 0 if that is not known.
        unit: `round` or `epoch`.
        values: measured after that iteration.
    """

    iteration: int
    total: int
    unit: str
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Image(Item):
    """A picture.

    Attributes:
        media_type: `image/png`.
        title: says what it shows.
        data: the file.
    """

    media_type: str
    title: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished(Item):
    """A statement is done.

    Attributes:
        rows: returned or affected; -1 if unknown.
        seconds: the time that it took.
        truncated: True if its result has more rows than were delivered.
    """

    rows: int
    seconds: float
    truncated: bool = False


_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
_ZONE = r"(Z|[+-][0-9]{2}(:?[0-9]{2}(:?[0-9]{2})?)?)?"
_MOMENTS: Mapping[str, tuple[re.Pattern[str], Callable[[str], Value]]] = {
    "date": (re.compile(_DATE), date.fromisoformat),
    "time": (re.compile(_TIME + _ZONE), time.fromisoformat),
    "timestamp": (re.compile(f"{_DATE}[ T]{_TIME}{_ZONE}"), datetime.fromisoformat),
}
"""The texts that Python reads without loss: it drops the tenth of a microsecond in silence."""


def value_of(cell: Any) -> Value:
    """The value of a cell (`sqlflow_codegen.contract`).

    Raises:
        ValueError: it is none.
    """
    if cell is None or isinstance(cell, bool | int | float | str):
        return cell
    if not isinstance(cell, dict) or len(cell) != 1:
        raise ValueError(f"not a cell: {str(cell)[:100]}")
    ((tag, text),) = cell.items()
    kind, text = str(tag).removeprefix("$"), str(text)
    match kind:
        case "float":
            return float(text)
        case "decimal":
            return Decimal(text)
        case "bytes":
            return base64.b64decode(text, validate=True)
        case "json":
            return Json(text)
        case _:
            return _moment(kind, text)


def _moment(kind: str, text: str) -> Value:
    pattern, parse = _MOMENTS.get(kind, (None, None))
    if pattern is None or parse is None or not pattern.fullmatch(text):
        return Text(kind, text)
    try:
        return parse(text)
    except ValueError:  # such as the year 0, or a leap second
        return Text(kind, text)
