"""From the records of one attempt at a step to the items that `fetch` delivers."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlflow_codegen.progress import StepProgress

from sqlflow_operator.workflow.fetch.items import (
    Columns,
    Finished,
    Image,
    Item,
    Message,
    Metrics,
    Model,
    Progress,
    Row,
    value_of,
)


@dataclass(slots=True)
class AttemptMessages:
    """The messages and other items of one attempt.

    Attributes:
        prefix: the beginning of its messages.
        step: the name of the step.
        attempt: the number of the attempt; 0 for the step as a whole.
        settled: the last of the step's statements that is done for good; they run in order of their numbers. A later
            attempt skips those, or runs them again for their side effects only: they are not delivered again.
    """

    prefix: str
    step: str
    attempt: int = 0
    settled: int = 0

    def of_attempt(self, number: int) -> AttemptMessages:
        """The messages of another attempt at the same step."""
        return replace(self, attempt=number)

    def message(self, text: str, level: str = "info", *, statement: int = 0, source: str = "status") -> Message:
        """A message of that attempt."""
        text = f"{self.prefix} {text}"
        return Message(text=text, level=level, source=source, **self._place(statement))

    def items(self, record: Mapping[str, Any]) -> Iterator[Item]:
        """The items of one record. One that is not understood becomes a warning."""
        statement = record.get("statement")
        number = statement if isinstance(statement, int) else 0
        try:
            yield from self._items(record, number)
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            words = f"record {record.get('n')} ({record['type']}) of the step cannot be read: {error!r}"
            yield self.message(words, "warning", statement=number)

    def _place(self, number: int) -> dict[str, Any]:
        return {"step": self.step, "attempt": self.attempt, "statement": number}

    def _items(self, record: Mapping[str, Any], number: int) -> Iterator[Item]:
        match record["type"]:
            case "log":
                level = str(record.get("level", "info"))
                yield self.message(f"Log: {record['message']}", level, statement=number, source="log")
            case "error":
                yield self.message(f"Error: {_error(record, number)}", "error", statement=number)
            case _ if 0 < number <= self.settled:
                return
            case "statement_started":
                yield self._started(record, number)
            case "statement_finished":
                yield from self._finished(record, number)
            case "progress":
                yield from self._progress(record, number)
            case _:
                yield from _result(record, self._place(number))

    def _started(self, record: Mapping[str, Any], number: int) -> Message:
        place = f"Statement {number} ({record.get('title')}) at {record.get('line')}:{record.get('column')}"
        if not record.get("attempt_skipped"):
            return self.message(place, statement=number)
        self.settled = number
        words = "was done by an earlier attempt, which ended before it reported so: its result may not be complete"
        return self.message(f"{place} {words}", "warning", statement=number)

    def _finished(self, record: Mapping[str, Any], number: int) -> Iterator[Item]:
        rows, seconds, truncated = int(record["rows"]), float(record["seconds"]), bool(record.get("truncated"))
        if not record.get("open"):
            self.settled = number
        yield Finished(rows=rows, seconds=seconds, truncated=truncated, **self._place(number))
        counted = "OK" if rows < 0 else f"{rows} row" if rows == 1 else f"{rows} rows"
        more = ", of which the first were delivered" if rows >= 0 else ", more than delivered"
        words = f"{counted}{more if truncated else ''} ({seconds:g} s)"
        yield self.message(f"Statement {number}: {words}", statement=number)

    def _progress(self, record: Mapping[str, Any], number: int) -> Iterator[Item]:
        found = StepProgress.read(record)
        yield Progress(
            iteration=found.iteration,
            total=found.total,
            unit=found.unit,
            values=found.values,
            **self._place(number),
        )
        yield self.message(f"Statement {number}: {found.words}", statement=number, source="progress")


def _result(record: Mapping[str, Any], place: Mapping[str, Any]) -> Iterator[Item]:
    """The item of a record that holds a part of a result; none for a record of another type."""
    match record["type"]:
        case "columns":
            names, types = tuple(map(str, record["names"])), tuple(map(str, record["types"]))
            yield Columns(names=names, types=types, **place)
        case "row":
            values, truncated = tuple(map(value_of, record["values"])), tuple(record.get("truncated", ()))
            yield Row(values=values, truncated=truncated, **place)
        case "metrics":
            numbers = {str(name): float(value) for name, value in record["values"].items()}
            yield Metrics(model=str(record["model"]), values=numbers, **place)
        case "model":
            name, version, estimator = str(record["name"]), int(record["version"]), str(record["estimator"])
            yield Model(name=name, version=version, estimator=estimator, **place)
        case "image":
            data = base64.b64decode(record["data"], validate=True)
            yield Image(media_type=str(record["media_type"]), title=str(record.get("title", "")), data=data, **place)


def _error(record: Mapping[str, Any], number: int) -> str:
    place = f"statement {number} ({record.get('title')}) at {record.get('line')}:{record.get('column')}: "
    hint = f" Hint: {record['hint']}" if record.get("hint") else ""
    return f"{place if number else ''}{record['message']}{hint}"
