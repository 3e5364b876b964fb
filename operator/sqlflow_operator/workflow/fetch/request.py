"""How far a run was fetched: the whole memory of `fetch`, which the caller carries.

A step that was delivered to its end takes no more than its number; one that goes on, a few numbers for each attempt.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlflow_codegen.ranges import format_ranges, parse_ranges

from sqlflow_operator.workflow.fetch.log_reader import Mark

_VERSION = 1


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """Asks for what a run told since `position`.

    Attributes:
        run_id: `namespace/name`, as `submit` returned it.
        position: opaque; "" is the run's beginning. Only a response's `updated_request_since` has another one.
    """

    run_id: str
    position: str = ""

    def to_json(self) -> str:
        """The request as text, to be stored or passed on."""
        return json.dumps({"run_id": self.run_id, "position": self.position})

    @classmethod
    def from_json(cls, text: str) -> FetchRequest:
        """The request that `to_json` wrote.

        Raises:
            ValueError: it did not.
        """
        data = json.loads(text)
        if not isinstance(data, dict) or not all(isinstance(data.get(key), str) for key in ("run_id", "position")):
            raise ValueError(f"not a request of fetch: {text[:100]}")
        return cls(data["run_id"], data["position"])


@dataclass(slots=True)
class OpenAttempt:
    """An attempt whose log has not been delivered to its end."""

    number: int
    mark: Mark = field(default_factory=Mark)


@dataclass(slots=True)
class StepPosition:
    """How far a step was delivered that is not done.

    Attributes:
        attempts: number of the last attempt.
        settled: of the statements, the last one that was told to be done for good: those up to it are not told again.
        failed: the last attempt whose failure was told.
        open: attempts by their key.
        closed: keys of attempts that were delivered to their end.
    """

    attempts: int = 0
    settled: int = 0
    failed: int = -1
    open: dict[str, OpenAttempt] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Position:
    """How far a run was delivered.

    Attributes:
        child: UID of the run's object.
        told: the reason why it waits that was told last; "" for none.
        done: positions, from 1, of the steps that are delivered to their end.
        steps: the others, as far as anything of them was delivered.
    """

    child: str = ""
    told: str = ""
    done: set[int] = field(default_factory=set)
    steps: dict[int, StepPosition] = field(default_factory=dict)

    def step(self, index: int) -> StepPosition:
        """That of one step."""
        return self.steps.setdefault(index, StepPosition())

    def finish(self, index: int) -> None:
        """A step is done."""
        self.steps.pop(index, None)
        self.done.add(index)

    def dump(self) -> str:
        """As text."""
        steps = {str(index): _dump_step(step) for index, step in self.steps.items() if step != StepPosition()}
        done = format_ranges(self.done)
        data = {"v": _VERSION, "child": self.child, "told": self.told, "done": done, "steps": steps}
        return json.dumps(data, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> Position:
        """From text; "" is the beginning.

        Raises:
            ValueError: it is no position, or one of another version.
        """
        if not text:
            return cls()
        try:
            data = json.loads(text)
            if data["v"] != _VERSION:
                raise ValueError(f"version {data['v']}")
            steps = {int(index): _load_step(step) for index, step in data["steps"].items()}
            return cls(str(data["child"]), str(data["told"]), set(parse_ranges(data["done"])), steps)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"the request's position is none that fetch has made ({error}): {text[:100]}") from error


def _dump_step(step: StepPosition) -> dict[str, Any]:
    opened = {key: [a.number, a.mark.number, a.mark.second] for key, a in step.open.items()}
    return {"a": step.attempts, "s": step.settled, "f": step.failed, "open": opened, "closed": step.closed}


def _load_step(data: dict[str, Any]) -> StepPosition:
    opened = {
        key: OpenAttempt(int(number), Mark(int(record), str(second)))
        for key, (number, record, second) in data["open"].items()
    }
    return StepPosition(int(data["a"]), int(data["s"]), int(data["f"]), opened, list(map(str, data["closed"])))
