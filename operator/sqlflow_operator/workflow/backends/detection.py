"""Detects the backends that the cluster serves now: engines come and go while the operator runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sqlflow_operator.api import Backend
from sqlflow_operator.backend_registry import definition
from sqlflow_operator.kube import Resource


class Detector:
    """Asks the API server for the engines' kinds that it serves, and keeps the answer for a while.

    Safe to use from many threads.

    Args:
        serves: True if the API server serves a kind; raises `ApiError` if it does not answer.
        default: the operator's default backend; None leaves the choice to what is served.
        seconds: how long an answer counts.
        clock: monotonic seconds; for tests.
    """

    def __init__(
        self,
        serves: Callable[[Resource], bool],
        default: Backend | None = None,
        *,
        seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._serves, self._default = serves, default
        self._seconds, self._clock = seconds, clock
        self._lock = threading.Lock()
        self._served: frozenset[Backend] = frozenset()
        self._asked: float | None = None

    def served(self, *, fresh: bool = False) -> frozenset[Backend]:
        """The backends whose kinds the API server serves; `fresh` asks anew.

        Raises:
            ApiError: the API server refused or gave no answer.
        """
        with self._lock:
            now = self._clock()
            if fresh or self._asked is None or now - self._asked >= self._seconds:
                self._served = frozenset(filter(self._has, Backend))
                self._asked = now
            return self._served

    def _has(self, backend: Backend) -> bool:
        found = definition(backend)
        return found.built_in or self._serves(found.resource)

    def choose(self, wanted: Backend | None) -> Backend:
        """The backend of a new run: what the job names, else the operator's default, else the first that is served.

        Raises:
            ApiError: the API server refused or gave no answer.
        """
        if wanted or self._default:
            return wanted or self._default or Backend.JOB
        served = self.served()
        return next(backend for backend in Backend if backend in served)

    def missing(self, backend: Backend) -> str:
        """A sentence with advice if the cluster cannot run that backend now, or "".

        Raises:
            ApiError: the API server refused or gave no answer.
        """
        # Asked anew before it is reported: an engine may have been installed a second ago.
        if backend in self.served() or backend in self.served(fresh=True):
            return ""
        resource = definition(backend).resource
        kind = f"{resource.plural}.{resource.api.removeprefix('apis/').partition('/')[0]}"
        known = ", ".join(b for b in Backend if b in self.served())
        return (
            f"backend {backend} needs {definition(backend).title}, and this cluster has no {kind} "
            f"({resource.api.removeprefix('apis/')}): install it, or set spec.backend to one of: {known}"
        )
