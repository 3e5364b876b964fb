"""Runs kopf, anew whenever an engine's kinds appear in the cluster or vanish from it.

kopf watches kinds that are there when it starts, and gives up if one of them goes. It could follow CRDs by itself,
but needs to list and watch the CRDs of the whole cluster for that, which an operator of one namespace may not; asking
what the API server serves is allowed to everybody. Starting anew costs one list of each kind.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar, cast

import kopf

from sqlflow_operator import handlers
from sqlflow_operator.api import Backend
from sqlflow_operator.kube import ApiError
from sqlflow_operator.workflow.backends.detection import Detector

logger = logging.getLogger(__name__)

Engines = frozenset[Backend]
T = TypeVar("T")


def cancel_on_sigterm() -> None:
    """Let SIGTERM cancel the current task, until kopf runs and handles the signal itself."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


async def answered(call: Callable[[], T]) -> T:
    """The result of a call in a thread, as soon as the API server answers."""
    while True:
        try:
            return await asyncio.to_thread(call)
        except ApiError as error:
            logger.warning("the API server does not answer: %s", error)
            await asyncio.sleep(2)


class Watching:
    """Watches jobs, the kinds of all engines that are served, and pods.

    Args:
        detector: which engines are served.
        namespaces: which to watch; empty for all.
        fill: lists the kinds of these engines into the cache.
        register: puts the handlers for jobs and for those engines' kinds into a registry.
        ready: set once kopf watches for the first time.
        interval: seconds between two questions about the engines.
    """

    def __init__(
        self,
        detector: Detector,
        namespaces: Sequence[str],
        fill: Callable[[Engines], None],
        register: Callable[[kopf.OperatorRegistry, Engines], None],
        ready: threading.Event,
        *,
        interval: float = 10.0,
    ) -> None:
        self._detector, self._namespaces = detector, namespaces
        self._fill, self._register = fill, register
        self._ready, self._interval = ready, interval

    async def run(self) -> None:
        """Watch until a signal stops the process.

        Raises:
            Exception: kopf failed although no engine came or went.
        """
        engines = await self._served()
        while True:
            cancel_on_sigterm()
            stop = asyncio.Event()
            watching = asyncio.create_task(self._watch(engines, stop), name="kopf")
            changing = asyncio.create_task(self._changed(engines), name="engines")
            await asyncio.wait({watching, changing}, return_when=asyncio.FIRST_COMPLETED)
            if changing.done():
                stop.set()
                # Whatever ends kopf now: the kinds that it watched are not the ones that are there.
                await asyncio.gather(watching, return_exceptions=True)
                engines = changing.result()
                continue
            changing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await changing
            engines = await self._after_failure(watching, engines)
            if not engines:
                return

    async def _after_failure(self, watching: asyncio.Task[None], engines: Engines) -> Engines:
        """The engines to go on with after kopf has ended; none if a signal ended it."""
        error = watching.exception()
        if error is None:
            return frozenset()
        now = await self._served()
        # 404: a kind went and is back already; its objects went with it, so everything is listed anew.
        if now == engines and getattr(error, "status", None) != 404:
            raise error
        return now

    async def _served(self) -> Engines:
        """The engines that are served, as soon as the API server answers."""
        return await answered(partial(self._detector.served, fresh=True))

    async def _changed(self, engines: Engines) -> Engines:
        """The engines that are served, once they are others than these."""
        while True:
            await asyncio.sleep(self._interval)
            now = await self._served()
            if now != engines:
                came, went = sorted(now - engines), sorted(engines - now)
                logger.info("engines have changed", extra={"came": came, "went": went})
                return now

    async def _watch(self, engines: Engines, stop: asyncio.Event) -> None:
        # What changes between this list and kopf's own is in kopf's; what goes in between is found by the resync.
        await answered(partial(self._fill, engines))
        registry = kopf.OperatorRegistry()
        kopf.on.login(registry=registry)(kopf.login_via_client)
        self._register(registry, engines)
        extra = {"namespaces": list(self._namespaces) or "all", "backends": sorted(engines)}
        logger.info("watching", extra=extra)
        await kopf.operator(
            registry=registry,
            settings=handlers.settings(engines),
            # Without one kopf asks for the user's name, and a container's user id need not have any.
            identity=cast("Any", socket.gethostname()),
            standalone=True,
            clusterwide=not self._namespaces,
            namespaces=self._namespaces,
            ready_flag=self._ready,
            stop_flag=stop,
        )
