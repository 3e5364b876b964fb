"""A run of the `job` backend whose logs are served as a kubelet serves them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlflow_codegen.contract import LABEL_RUN, dump_record, parse_record
from sqlflow_operator.kube import JOBS, PODS, ApiError, InvalidError, NotFoundError, Object, Resource, UnavailableError
from sqlflow_operator.workflow import new
from sqlflow_operator.workflow.fetch.items import Item
from sqlflow_operator.workflow.fetch.log_reader import Budget
from sqlflow_operator.workflow.fetch.request import FetchRequest
from sqlflow_operator.workflow.fetch.response import FetchResponse, fetch

from tests.unit.operator.fakes import Clock, FakeKube


@dataclass
class Line:
    """A line of a log. A long one is written in two parts, each with its time."""

    began: datetime
    ended: datetime
    text: bytes


class Kubelet(FakeKube):
    """Serves logs with times to the nanosecond, `since` to the second, only of the newest file, in small pieces."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.files: dict[tuple[str, str], list[Line]] = {}
        self.tails: dict[tuple[str, str], bytes] = {}
        """Lines that have begun and not ended."""
        self.cut: int | None = None
        """After so many bytes the connection breaks, once."""
        self.piece = 7
        self.served = 0
        self.zone = "Z"

    def stream_log(
        self, namespace: str, pod: str, container: str, *, since: str = "", previous: bool = False
    ) -> Generator[bytes, None, None]:
        self._log_call(namespace, pod)
        if previous:
            container = f"{container}#previous"
        if (pod, container) not in self.files:
            raise InvalidError(400, "BadRequest", f"container {container} is waiting to start")
        data = b"".join(self._lines((pod, container), since)) + self.tails.get((pod, container), b"")
        cut, self.cut = self.cut, None
        for start in range(0, min(len(data), len(data) if cut is None else cut), self.piece):
            piece = data[start : start + self.piece][: None if cut is None else cut - start]
            self.served += len(piece)
            yield piece
        if cut is not None and cut < len(data):
            raise UnavailableError(0, "Unreachable", "cut")

    def read_log(self, namespace: str, pod: str, container: str, *, lines: int, limit_bytes: int) -> str:
        self._log_call(namespace, pod)
        return "\n".join(line.text.decode() for line in self.files.get((pod, container), [])[-lines:])

    def _log_call(self, namespace: str, pod: str) -> None:
        self.call("log", PODS, lambda: self.store.get(PODS, namespace, pod))

    def _lines(self, key: tuple[str, str], since: str) -> list[bytes]:
        start = datetime.fromisoformat(since) if since else None
        shown = []
        for line in self.files[key]:
            if start is None or line.began >= start:
                moment = line.began.strftime("%Y-%m-%dT%H:%M:%S.%f000")
                shown.append(f"{moment}{self.zone} ".encode() + line.text + b"\n")
            elif line.ended >= start:
                shown.append(line.text[len(line.text) // 2 :] + b"\n")  # what the kubelet leaves of a long line
        return shown


class Run:
    """A Job with steps, its pods and their logs; and somebody who fetches."""

    def __init__(self, steps: Sequence[str] = ("s1-sql",), statements: str = "1-9", retries: int = 3) -> None:
        self.clock = Clock()
        self.kube = Kubelet(self.clock)
        self.workflow = new("job", self.kube)[1]
        self.steps = list(steps)
        self.waited: list[float] = []
        self.request = FetchRequest("ns/r")
        self.pod = ""
        containers = [{"name": name, "args": ["--statements", statements]} for name in steps]
        spec = {"backoffLimit": retries, "template": {"spec": {"initContainers": containers}}}
        self.kube.store.create(JOBS, "ns", {"metadata": {"name": "r", "labels": {LABEL_RUN: "r"}}, "spec": spec})
        self.numbers: dict[tuple[str, str], int] = {}

    def start_pod(self) -> str:
        """The next attempt at the whole run."""
        self.clock.sleep(1)
        self.pod = f"r-{len(self.kube.store.created)}"
        owner = {"uid": self.kube.store.get(JOBS, "ns", "r")["metadata"]["uid"]}
        metadata = {"name": self.pod, "labels": {LABEL_RUN: "r"}, "ownerReferences": [owner]}
        statuses = [{"name": name, "state": {"waiting": {}}} for name in self.steps]
        spec = {"initContainers": [{"name": name} for name in self.steps]}
        pod = {"metadata": metadata, "spec": spec, "status": {"phase": "Pending", "initContainerStatuses": statuses}}
        self.kube.store.create(PODS, "ns", pod)
        return self.pod

    def start(self, step: str = "s1-sql") -> None:
        """A step's container runs."""
        with self.status(step) as status:
            status["state"] = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
        self.kube.files[self.pod, step] = []

    def write(self, *records: dict[str, Any], step: str = "s1-sql", seconds: float = 0.2) -> None:
        """Lines of records, numbered, each that much later than the one before and taking as long to be written."""
        for record in records:
            number = self.numbers[self.pod, step] = self.numbers.get((self.pod, step), 0) + 1
            self.line(dump_record({**record, "n": number}).encode(), step=step, seconds=seconds)

    def line(self, text: bytes, step: str = "s1-sql", seconds: float = 0.2) -> None:
        began = self.clock.now()
        self.kube.tails.pop((self.pod, step), None)
        self.clock.sleep(seconds)
        self.kube.files[self.pod, step].append(Line(began, self.clock.now(), text))

    def end(self, code: int = 0, step: str = "s1-sql", *, tell: bool = True, message: str = "") -> None:
        """A step's container ends; a step that was not killed says so last."""
        if tell:
            self.write({"type": "end"}, step=step)
        with self.status(step) as status:
            status["state"] = {"terminated": {"exitCode": code, "message": message}}
        if code:
            self._end_pod("Failed")

    def succeed(self) -> None:
        """The Job's controller has seen it."""
        self._end_pod("Succeeded")
        self.finish("Complete")

    def finish(self, kind: str, **fields: str) -> None:
        condition = {"type": kind, "status": "True", **fields}
        with self.kube.store.edit(JOBS, "ns", "r") as job:
            job["status"] = {"conditions": [condition]}

    def fetch(self, budget: Budget | None = None) -> FetchResponse:
        """Somebody else goes on, who knows nothing but the request."""
        request = FetchRequest.from_json(self.request.to_json())
        response = fetch(self.workflow.definition, self.kube, request, budget=budget, wait=self.waited.append)
        self.request = response.updated_request_since
        return response

    def all(self, budget: Budget | None = None) -> list[Item]:
        """All that is new."""
        items: list[Item] = []
        while True:
            response = self.fetch(budget)
            items += response.items
            if response.eof or not response.items:
                return items

    @contextlib.contextmanager
    def status(self, step: str = "s1-sql") -> Iterator[Object]:
        """The status of the step's container, to be changed."""
        with self.kube.store.edit(PODS, "ns", self.pod) as pod:
            yield next(s for s in pod["status"]["initContainerStatuses"] if s["name"] == step)

    def _end_pod(self, phase: str) -> None:
        self.kube.store.patch(PODS, "ns", self.pod, {"status": {"phase": phase}}, subresource="status")

    def delete_pod(self) -> None:
        self.kube.store.delete(PODS, "ns", self.pod)

    def vanish_on_read(self) -> None:
        """The pod goes between the moment when it is listed and the moment when its log is asked for."""

        def fault(number: int, method: str, resource: Resource) -> ApiError | None:
            return NotFoundError(404, "NotFound", "no such pod") if method == "log" else None

        self.kube.fault = fault

    def rotate(self, keep: int) -> None:
        """All but the newest lines are in a file that the API does not show."""
        lines = self.kube.files[self.pod, "s1-sql"]
        self.kube.files[self.pod, "s1-sql"] = lines[len(lines) - keep :]

    def rotate_what_was_told(self, values: Sequence[int]) -> None:
        lines = self.kube.files[self.pod, "s1-sql"]
        new = (i for i, line in enumerate(lines) if (record := parse_record(line.text.decode())) and "n" in record)
        first = next((i for i in new if json.loads(lines[i].text)["values"][0] not in values), len(lines))
        self.kube.files[self.pod, "s1-sql"] = lines[first:]

    def half(self, record: dict[str, Any], size: int) -> None:
        """A line that has begun, and the next one that is written ends."""
        number = self.numbers.get((self.pod, "s1-sql"), 0) + 1
        line = f"{self.clock.now().isoformat()} {dump_record({**record, 'n': number})}".encode()
        self.kube.tails[self.pod, "s1-sql"] = line[: min(size, len(line) - 1)]

    def restart(self, code: int) -> None:
        """The kubelet starts the container again."""
        key = (self.pod, "s1-sql")
        with self.status() as status:
            status["restartCount"] = status.get("restartCount", 0) + 1
            status["lastState"] = {"terminated": {"exitCode": code}}
        self.kube.files[self.pod, "s1-sql#previous"] = self.kube.files[key]
        self.kube.files[key] = []
        self.kube.tails.pop(key, None)
        self.numbers.pop(key, None)


def statement(number: int, *rows: Any, **fields: Any) -> list[dict[str, Any]]:
    """The records of a SELECT; with fields of its end."""
    place = {"kind": "sql", "title": "SELECT", "line": number, "column": 1, "attempt_skipped": False}
    return [
        {"type": "statement_started", "statement": number, **place},
        {"type": "columns", "statement": number, "names": ["a"], "types": ["int4"]},
        *({"type": "row", "statement": number, "values": [row]} for row in rows),
        {"type": "statement_finished", "statement": number, "rows": len(rows), "seconds": 0.5, **fields},
    ]


def skipped(number: int) -> list[dict[str, Any]]:
    """The records of a statement that the ledger says is done."""
    first, *_, last = statement(number)
    return [{**first, "attempt_skipped": True}, last]


def failed(number: int, message: str) -> list[dict[str, Any]]:
    """The records of a statement that fails."""
    place = {"line": number, "column": 15, "title": "SELECT", "kind": "database", "hint": ""}
    return [statement(number)[0], {"type": "error", "statement": number, "message": message, **place}]
