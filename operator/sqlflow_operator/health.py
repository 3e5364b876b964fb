"""The HTTP endpoints of the operator: /healthz, /readyz and /metrics, on a thread of their own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

Check = Callable[[], str]
"""Returns the problem as a sentence, or ""."""

LOOP_HANGS = 30.0
"""Seconds without a beat after which the event loop counts as hanging."""
STREAMS_DEAD = 180.0
"""Seconds for which the watch streams may keep changes back."""
API_AWAY = 600.0
"""Seconds without an answer of the API server after which only a new start, with new connections, may help."""
WORKER_STUCK = 300.0
"""Seconds that a reconcile may take."""


class Heartbeat:
    """Beats as long as the event loop turns."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._latest = clock()

    def age(self) -> float:
        """Seconds since the latest beat."""
        return self._clock() - self._latest

    async def run(self) -> None:
        """Beat every second, for ever."""
        while True:
            self._latest = self._clock()
            await asyncio.sleep(1)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _SilentHandler(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Probes every few seconds are not worth a line each."""


class HealthServer:
    """Serves the endpoints.

    Args:
        port: 0 takes any that is free.
        registry: what /metrics shows.
        live, ready: the checks of /healthz and /readyz, by name; red if one of them returns a problem.
    """

    def __init__(
        self, port: int, registry: CollectorRegistry, live: Mapping[str, Check], ready: Mapping[str, Check]
    ) -> None:
        self._metrics = make_wsgi_app(registry)
        self._checks = {"/healthz": live, "/readyz": ready}
        self._server = make_server("", port, self._answer, server_class=_Server, handler_class=_SilentHandler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_port)

    def start(self) -> None:
        """Start to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop to answer."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, environment: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environment.get("PATH_INFO", "")
        if path == "/metrics":
            body: Iterable[bytes] = self._metrics(environment, start_response)
            return body
        checks = self._checks.get(path)
        if checks is None:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"try /healthz, /readyz or /metrics\n"]
        problems = [f"{name}: {problem}" for name, check in checks.items() if (problem := check())]
        start_response("503 Service Unavailable" if problems else "200 OK", [("Content-Type", "text/plain")])
        return ["\n".join(problems or ["ok"]).encode() + b"\n"]
