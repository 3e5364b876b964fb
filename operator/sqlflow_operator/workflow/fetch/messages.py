"""From the records of one attempt at a step to the items that `fetch` delivers."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlflow_operator.workflow.fetch.items import Columns, Finished, Image, Item, Message, Metrics, Model, Row, value_of

_RESULTS = ("columns", "row", "metrics", "model", "image")


@dataclass(slots=True)
class Teller:
    """Tells of one attempt.

    Attributes:
        prefix: what its messages begin with.
        step: the step's name.
        attempt: its number.
        settled: of the step's statements, which run in order of their numbers, the last one that is done for good.
            A later attempt skips those, or runs them again for their side effects only: they are not told again.
    """

    prefix: str
    step: str
    attempt: int
    settled: int = 0

    def say(self, text: str, level: str = "info", *, statement: int = 0, source: str = "status") -> Message:
        """A message of that attempt."""
        words = f"{self.prefix} {text}"
        return Message(
            text=words, level=level, source=source, step=self.step, attempt=self.attempt, statement=statement
        )

    def tell(self, record: Mapping[str, Any]) -> Iterator[Item]:
        """The items of one record. One that cannot be understood becomes a warning."""
        statement = record.get("statement")
        number = statement if isinstance(statement, int) else 0
        try:
            yield from self._tell(record, number)
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            words = f"record {record.get('n')} ({record['type']}) of the step cannot be read: {error!r}"
            yield self.say(words, "warning", statement=number)

    def _tell(self, record: Mapping[str, Any], number: int) -> Iterator[Item]:
        again = 0 < number <= self.settled
        match record["type"]:
            case "statement_started" if not again:
                yield self._started(record, number)
            case "statement_finished" if not again:
                yield from self._finished(record, number)
            case "log":
                text = f"Log: {record['message']}"
                yield self.say(text, str(record.get("level", "info")), statement=number, source="log")
            case "error":
                yield self.say(f"Error: {_error(record, number)}", "error", statement=number)
            case kind if kind in _RESULTS and not again:
                yield self._result(record, number)

    def _started(self, record: Mapping[str, Any], number: int) -> Message:
        place = f"Statement {number} ({record.get('title')}) at {record.get('line')}:{record.get('column')}"
        if not record.get("attempt_skipped"):
            return self.say(place, statement=number)
        self.settled = number
        words = "was done by an earlier attempt, which ended before it told so: its result may not be complete"
        return self.say(f"{place} {words}", "warning", statement=number)

    def _finished(self, record: Mapping[str, Any], number: int) -> Iterator[Item]:
        rows, seconds, truncated = int(record["rows"]), float(record["seconds"]), bool(record.get("truncated"))
        if not record.get("open"):
            self.settled = number
        place = {"step": self.step, "attempt": self.attempt, "statement": number}
        yield Finished(rows=rows, seconds=seconds, truncated=truncated, **place)  # type: ignore[arg-type]
        counted = "OK" if rows < 0 else f"{rows} row" if rows == 1 else f"{rows} rows"
        more = ", of which the first were delivered" if truncated and rows >= 0 else ", more than delivered"
        words = f"{counted}{more if truncated else ''} ({seconds:g} s)"
        yield self.say(f"Statement {number}: {words}", statement=number)

    def _result(self, record: Mapping[str, Any], number: int) -> Item:
        step, attempt = self.step, self.attempt
        match record["type"]:
            case "columns":
                names, types = tuple(map(str, record["names"])), tuple(map(str, record["types"]))
                return Columns(names=names, types=types, step=step, attempt=attempt, statement=number)
            case "row":
                values, cut = tuple(map(value_of, record["values"])), tuple(record.get("truncated", ()))
                return Row(values=values, truncated=cut, step=step, attempt=attempt, statement=number)
            case "metrics":
                numbers = {str(name): float(value) for name, value in record["values"].items()}
                model = str(record["model"])
                return Metrics(model=model, values=numbers, step=step, attempt=attempt, statement=number)
            case "model":
                name, version, estimator = str(record["name"]), int(record["version"]), str(record["estimator"])
                return Model(
                    name=name, version=version, estimator=estimator, step=step, attempt=attempt, statement=number
                )
            case _:
                media_type, data = str(record["media_type"]), base64.b64decode(record["data"], validate=True)
                return Image(media_type=media_type, data=data, step=step, attempt=attempt, statement=number)


def _error(record: Mapping[str, Any], number: int) -> str:
    place = f"statement {number} ({record.get('title')}) at {record.get('line')}:{record.get('column')}: "
    hint = f" Hint: {record['hint']}" if record.get("hint") else ""
    return f"{place if number else ''}{record['message']}{hint}"
