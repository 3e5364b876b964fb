"""Prometheus metrics: counters of what the operator does, gauges computed from its cache and queue.

No metric has a label for a job: there would be as many series as there were ever jobs. Gauges are computed when
they are asked for, so they are right after a restart and after a deletion.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sqlflow_operator.api import Phase
from sqlflow_operator.kube.watch_cache import WatchCache
from sqlflow_operator.reconcile import Key
from sqlflow_operator.workqueue import WorkQueue


class OperatorMetrics:
    """All metrics of one operator, in a registry of their own."""

    def __init__(self, queue: WorkQueue[Key], cache: WatchCache) -> None:
        self.registry = CollectorRegistry()
        self._reconciles = Counter(
            "sqlflow_reconciles", "Reconciles, by outcome.", ("outcome",), registry=self.registry
        )
        self._seconds = Histogram("sqlflow_reconcile_seconds", "Seconds that a reconcile took.", registry=self.registry)
        self._calls = Counter(
            "sqlflow_api_calls",
            "Calls to the API server, by caller (reconcile, resync), verb, resource and HTTP status (0: no answer).",
            ("caller", "verb", "resource", "status"),
            registry=self.registry,
        )
        self.registry.register(_JobGauges(queue, cache))

    def reconciled(self, outcome: str, seconds: float) -> None:
        """Count a reconcile."""
        self._reconciles.labels(outcome).inc()
        self._seconds.observe(seconds)

    def called(self, caller: str, verb: str, resource: str, status: int) -> None:
        """Count a call to the API server."""
        self._calls.labels(caller, verb, resource, str(status)).inc()


class _JobGauges(Collector):
    """Gauges over the jobs that are known now."""

    def __init__(self, queue: WorkQueue[Key], cache: WatchCache) -> None:
        self._queue, self._cache = queue, cache

    def collect(self) -> Iterator[Metric]:
        """Called whenever metrics are asked for."""
        jobs = GaugeMetricFamily("sqlflow_jobs", "SQLFlowJobs, by phase.", labels=["phase"])
        phases = self._cache.phases()
        for phase in Phase:
            jobs.add_metric([phase], phases.get(phase, 0))
        yield jobs
        yield GaugeMetricFamily("sqlflow_queue_length", "Jobs that wait to be reconciled.", value=len(self._queue))
