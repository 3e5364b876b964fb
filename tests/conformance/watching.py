"""Follows objects of a cluster as they change: every version of a job's status, and all that a recording needs."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import urlencode

from sqlflow_operator.kube import Resource

from tests.e2e.kube import Kube, Object


@dataclass(frozen=True)
class Seen:
    """One event of a watch; `seconds` since the watching began."""

    seconds: float
    event: str
    object: Object


@dataclass
class Watching:
    """Watches by `kubectl get --raw`, which prints an event a line. Ends its processes when left."""

    kube: Kube
    seen: list[Seen] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)  # noqa: TID251  (recordings have times)
    _processes: list[subprocess.Popen[str]] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def follow(self, resource: Resource, **selectors: str) -> None:
        """Watch the namespace's objects of a kind that `labelSelector` or `fieldSelector` let through."""
        query = urlencode({"watch": "1", **selectors})
        path = f"/{resource.api}/namespaces/{self.kube.namespace}/{resource.plural}?{query}"
        command = [self.kube.kubectl, "--kubeconfig", str(self.kube.kubeconfig), "get", "--raw", path]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        thread = threading.Thread(target=self._read, args=(process,), daemon=True)
        thread.start()
        self._processes.append(process)
        self._threads.append(thread)

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if not line.endswith("\n"):
                return  # cut off in the middle, as the watching ends
            event = json.loads(line)
            self.add(event["type"], event["object"])

    def add(self, event: str, thing: Object) -> None:
        """Note an event now."""
        with self._lock:
            seconds = time.monotonic() - self.started  # noqa: TID251  (recordings have times)
            self.seen.append(Seen(round(seconds, 3), event, thing))

    def of_kind(self, *kinds: str) -> Sequence[Seen]:
        """The events so far of objects of these kinds, in their order."""
        with self._lock:
            return [seen for seen in self.seen if seen.object.get("kind") in kinds]

    def __enter__(self) -> Watching:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.terminate()
        for process, thread in zip(self._processes, self._threads, strict=True):
            process.wait(timeout=20)
            thread.join(timeout=20)
            assert process.stdout is not None
            process.stdout.close()
