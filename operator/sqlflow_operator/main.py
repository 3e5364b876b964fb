"""The operator's process: `sqlflow-operator`."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from functools import partial

import kopf
import kubernetes

from sqlflow_operator import handlers, logging_setup
from sqlflow_operator.config import Config, ConfigError
from sqlflow_operator.health import API_AWAY, LOOP_HANGS, STREAMS_DEAD, WORKER_STUCK, HealthServer, Heartbeat
from sqlflow_operator.kube import SQLFLOWJOBS
from sqlflow_operator.kube.client import KubeClient
from sqlflow_operator.kube.watch_cache import WatchCache
from sqlflow_operator.metrics import OperatorMetrics
from sqlflow_operator.reconcile import Defaults, Key, Reconciler
from sqlflow_operator.resync import Resync
from sqlflow_operator.watching import Engines, Watching, answered, cancel_on_sigterm
from sqlflow_operator.workers import Workers
from sqlflow_operator.workflow import available, new
from sqlflow_operator.workflow.backends.detection import Detector
from sqlflow_operator.workqueue import WorkQueue

logger = logging.getLogger(__name__)


class Operator:
    """All parts of the operator, put together."""

    def __init__(self, config: Config, configuration: kubernetes.client.Configuration | None = None) -> None:
        self._config = config
        self._queue: WorkQueue[Key] = WorkQueue()
        self._cache = WatchCache()
        self._metrics = OperatorMetrics(self._queue, self._cache)
        self._kube = KubeClient(configuration, on_call=partial(self._metrics.called, "resync"))
        counted = partial(self._metrics.called, "reconcile")
        kube = KubeClient(configuration, on_call=counted, on_object=self._cache.put_answer)
        # Asked again by the watching every ten seconds, so that the reconcile loop need not.
        detector = Detector(self._kube.serves, config.default_backend, seconds=30.0)
        reconciler = Reconciler(
            kube,
            self._cache,
            {backend: new(backend, kube) for backend in available()},
            detector=detector,
            defaults=Defaults(
                config.step_image,
                config.step_image_pull_policy,
                config.step_requests,
                config.ttl_seconds_after_finished,
                config.model_store,
            ),
        )
        self._workers = Workers(self._queue, reconciler.reconcile, config.workers, self._metrics.reconciled)
        self._resync = Resync(
            self._kube, config.namespaces, self._queue, self._cache, detector.served, interval=config.resync_seconds
        )
        self._heartbeat = Heartbeat()
        self._watching = threading.Event()
        self._watch = Watching(detector, config.namespaces, self._resync.fill, self._register, self._watching)
        self._health = HealthServer(
            config.port,
            self._metrics.registry,
            live={"loop": self._loop, "workers": self._working, "streams": self._streams, "api": self._api},
            ready={"watching": self._ready},
        )

    async def run(self) -> None:
        """Work until the process is asked to stop."""
        cancel_on_sigterm()
        self._health.start()
        beat = asyncio.create_task(self._heartbeat.run(), name="heartbeat")
        try:
            await self._wait_for_crd()
            self._workers.start()
            self._resync.start()
            await self._watch.run()
        finally:
            beat.cancel()
            self._resync.stop()
            # In a thread: what the workers are at may take its time, and the loop must not look dead meanwhile.
            await asyncio.to_thread(self._workers.stop)
            self._health.stop()

    def _register(self, registry: kopf.OperatorRegistry, engines: Engines) -> None:
        handlers.register(registry, engines, self._queue, self._cache, ttl=self._config.ttl_seconds_after_finished)

    async def _wait_for_crd(self) -> None:
        """Wait for the CRD: without it kopf would give up."""
        while not await answered(partial(self._kube.serves, SQLFLOWJOBS)):
            logger.warning("the CRD of SQLFlowJobs is not installed: kubectl apply -f crds/sqlflowjobs.yaml")
            await asyncio.sleep(2)

    def _loop(self) -> str:
        age = self._heartbeat.age()
        return f"the event loop hangs for {age:.0f} s" if age > LOOP_HANGS else ""

    def _working(self) -> str:
        if not self._watching.is_set():
            return ""
        if not self._workers.alive():
            return "a worker has died"
        busy = self._workers.longest()
        return f"a worker is stuck for {busy:.0f} s" if busy > WORKER_STUCK else ""

    def _streams(self) -> str:
        silent = self._resync.silent_seconds()
        return f"the watch streams keep changes back for {silent:.0f} s" if silent > STREAMS_DEAD else ""

    def _api(self) -> str:
        away = self._resync.unreached_seconds()
        return f"no answer of the API server for {away:.0f} s" if away > API_AWAY else ""

    def _ready(self) -> str:
        if not self._watching.is_set():
            return "not watching yet"
        away = self._resync.unreached_seconds()
        limit = 3 * self._config.resync_seconds
        return f"no answer of the API server for {away:.0f} s" if away > limit else ""


def main() -> int:
    """Run the operator until a signal stops it; return the exit code."""
    try:
        config = Config.from_environment(os.environ)
    except ConfigError as error:
        print(f"sqlflow-operator: {error}", file=sys.stderr)
        return 2
    logging_setup.configure(config.log_level)
    # kopf asks for the user's name; a user ID without an entry in /etc/passwd, as containers have it, has none.
    os.environ.setdefault("LOGNAME", "sqlflow-operator")
    try:
        operator = Operator(config)
    except kubernetes.config.ConfigException as error:
        print(f"sqlflow-operator: neither a service account nor a kubeconfig: {error}", file=sys.stderr)
        return 2
    try:
        asyncio.run(operator.run())
    except asyncio.CancelledError:
        return 0
    except Exception:  # the last place that can log the reason for the end of the process
        logger.exception("the operator ends")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
