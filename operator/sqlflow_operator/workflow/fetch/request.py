"""The request of `fetch`. Its cursor is the whole memory of `fetch`, which the caller carries.

A step that was delivered to its end takes no more than its number; another one a few numbers for each attempt.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlflow_codegen.ranges import format_ranges, parse_ranges

from sqlflow_operator.workflow.fetch.log_reader import LogCursor

_VERSION = 1


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """A request for the output of a run since `cursor`.

    Attributes:
        run_id: `namespace/name`, as `submit` returned it.
        cursor: opaque; "" is the beginning of the run. Only a response's `updated_request_since` has another one.
    """

    run_id: str
    cursor: str = ""

    def to_json(self) -> str:
        """The request as text, to be stored or passed on."""
        return json.dumps({"run_id": self.run_id, "cursor": self.cursor})

    @classmethod
    def from_json(cls, text: str) -> FetchRequest:
        """The request that `to_json` wrote.

        Raises:
            ValueError: it did not write this.
        """
        data = json.loads(text)
        if not isinstance(data, dict) or not all(isinstance(data.get(key), str) for key in ("run_id", "cursor")):
            raise ValueError(f"not a request of fetch: {text[:100]}")
        return cls(data["run_id"], data["cursor"])


@dataclass(slots=True)
class OpenAttempt:
    """An attempt whose log has not been delivered to its end."""

    number: int
    cursor: LogCursor = field(default_factory=LogCursor)


@dataclass(slots=True)
class StepCursor:
    """The cursor of a step that has not been delivered to its end.

    Attributes:
        attempts: the number of the last attempt.
        settled: the last statement that is done for good: the statements up to it are not delivered again.
        failed: the last attempt whose failure was delivered.
        open: the attempts that have not been delivered to their end, by their key.
        closed: the keys of the others.
    """

    attempts: int = 0
    settled: int = 0
    failed: int = -1
    open: dict[str, OpenAttempt] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)


@dataclass(slots=True)
class RunCursor:
    """The cursor of a run.

    Attributes:
        child: the UID of the run's child.
        waiting: the reason to wait that was delivered last; "" for none.
        done: the positions, from 1, of the steps that are delivered to their end.
        steps: the others, as far as anything of them was delivered.
    """

    child: str = ""
    waiting: str = ""
    done: set[int] = field(default_factory=set)
    steps: dict[int, StepCursor] = field(default_factory=dict)

    def step(self, index: int) -> StepCursor:
        """The cursor of one step."""
        return self.steps.setdefault(index, StepCursor())

    def finish(self, index: int) -> None:
        """Note that a step was delivered to its end."""
        self.steps.pop(index, None)
        self.done.add(index)

    def dump(self) -> str:
        """The cursor as text."""
        steps = {str(index): _dump_step(step) for index, step in self.steps.items() if step != StepCursor()}
        data = {"v": _VERSION, "child": self.child, "waiting": self.waiting, "done": format_ranges(self.done)}
        return json.dumps(data | {"steps": steps}, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> RunCursor:
        """The cursor from text; "" is the beginning.

        Raises:
            ValueError: it is no cursor, or one of another version.
        """
        if not text:
            return cls()
        try:
            data = json.loads(text)
            if data["v"] != _VERSION:
                raise ValueError(f"version {data['v']}")
            steps = {int(index): _load_step(step) for index, step in data["steps"].items()}
            return cls(str(data["child"]), str(data["waiting"]), set(parse_ranges(data["done"])), steps)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"the request's cursor was not made by fetch ({error}): {text[:100]}") from error


def _dump_step(step: StepCursor) -> dict[str, Any]:
    opened = {key: [a.number, a.cursor.number, a.cursor.second] for key, a in step.open.items()}
    return {"a": step.attempts, "s": step.settled, "f": step.failed, "open": opened, "closed": step.closed}


def _load_step(data: dict[str, Any]) -> StepCursor:
    opened = {
        key: OpenAttempt(int(number), LogCursor(int(record), str(second)))
        for key, (number, record, second) in data["open"].items()
    }
    return StepCursor(int(data["a"]), int(data["s"]), int(data["f"]), opened, list(map(str, data["closed"])))
