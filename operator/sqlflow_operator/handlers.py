"""kopf's event handlers: they put what an event shows into the cache, and the job's key into the work queue.

Low-level event handlers on purpose: they add no finalizer and no annotation, and an event that is lost or comes
twice changes nothing, because the reconcile loop looks at states, not at events.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import kopf
from sqlflow_codegen.contract import LABEL_JOB_UID

from sqlflow_operator import clock
from sqlflow_operator.api import GROUP, PLURAL, VERSION, Backend, Phase
from sqlflow_operator.clock import from_text
from sqlflow_operator.kube import EVENTS, SQLFLOWJOBS, Resource
from sqlflow_operator.kube.objects import EventObject, KubeObject, SQLFlowJobObject
from sqlflow_operator.kube.watch_cache import WatchCache, job_of
from sqlflow_operator.reconcile import Key
from sqlflow_operator.resync import watched
from sqlflow_operator.workqueue import WorkQueue

LONG_GONE = timedelta(days=1)
"""So long after the end of a run's time to live its job is not reconciled any more."""


def register(
    registry: kopf.OperatorRegistry,
    engines: Iterable[Backend],
    queue: WorkQueue[Key],
    cache: WatchCache,
    *,
    ttl: int | None = None,
) -> None:
    """Register the handlers for jobs, for what belongs to them, and for Warning events.

    Args:
        registry: kopf's.
        engines: whose kinds are watched.
        queue: takes the keys of jobs to reconcile.
        cache: takes every object.
        ttl: seconds that runs live after their end if a job does not say; None: for ever.
    """

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def on_job(event: Any, **_: Any) -> None:
        job_event(event["type"], event["object"], queue, cache, ttl=ttl)

    @kopf.on.event(*EVENTS.group_version_plural, registry=registry)
    async def on_warning(event: Any, **_: Any) -> None:
        warning_event(event["type"], event["object"], queue, cache)

    async def on_part(event: Any, param: Any = None, **_: Any) -> None:
        part_event(event["type"], param, event["object"], queue, cache)

    labels = {LABEL_JOB_UID: kopf.PRESENT}
    for resource in watched(engines):
        kopf.on.event(*resource.group_version_plural, labels=labels, param=resource, registry=registry)(on_part)


def job_event(
    kind: str | None, raw: SQLFlowJobObject, queue: WorkQueue[Key], cache: WatchCache, *, ttl: int | None = None
) -> None:
    """A SQLFlowJob was listed, added, changed or deleted; `ttl` as in `register`."""
    if kind == "DELETED":
        _remove(raw, cache)
        return
    cache.put(SQLFLOWJOBS, raw)
    delay = next_look(raw, ttl=ttl, now=clock.now())
    if delay is not None:
        queue.add_after((raw["metadata"].get("namespace", ""), raw["metadata"]["name"]), delay)


def part_event(kind: str | None, resource: Resource, raw: KubeObject, queue: WorkQueue[Key], cache: WatchCache) -> None:
    """A child, a pod or an object between them was listed, added, changed or deleted."""
    if kind == "DELETED":
        _remove(raw, cache)
    else:
        cache.put(resource, raw)
    key = job_of(resource, raw["metadata"])
    if key is not None:
        queue.add(key)


def warning_event(kind: str | None, raw: EventObject, queue: WorkQueue[Key], cache: WatchCache) -> None:
    """A Warning event was listed, added, changed or, an hour later, deleted."""
    about = cache.put_warning(raw) if kind != "DELETED" else None
    if about is not None and about.job is not None:
        queue.add(about.job)


def _remove(raw: KubeObject, cache: WatchCache) -> None:
    cache.remove(raw["metadata"]["uid"], raw["metadata"].get("resourceVersion", ""))


def next_look(raw: SQLFlowJobObject, *, ttl: int | None, now: datetime) -> float | None:
    """Seconds until a SQLFlowJob has to be reconciled, as its status shows it; None if nothing can be left to do.

    A run that has ended stays as it is until its time to live is over; a suspended job waits for an edit.

    Args:
        raw: the job.
        ttl: seconds that runs live after their end if the job does not say; None: for ever.
        now: the present moment.
    """
    status, spec = raw.get("status") or {}, raw.get("spec") or {}
    if status.get("observedGeneration") != raw["metadata"].get("generation"):
        return 0.0
    if status.get("phase") == Phase.SUSPENDED:
        return None if spec.get("suspend") else 0.0
    if status.get("phase") not in (Phase.SUCCEEDED, Phase.FAILED):
        return 0.0
    seconds = spec.get("ttlSecondsAfterFinished", ttl)
    runs = [status.get("run") or {}, *(status.get("history") or ())]
    ends = [end for run in runs if (end := from_text(run.get("finishedAt"))) is not None]
    if seconds is None:
        return None
    expiries = [end + timedelta(seconds=seconds) for end in ends]
    return min((max(0.0, (e - now).total_seconds()) for e in expiries if now <= e + LONG_GONE), default=None)


def settings(engines: Iterable[Backend]) -> kopf.OperatorSettings:
    """Settings of kopf: no Events from logs, no peering, no watching of CRDs and namespaces, filtered streams."""
    chosen = kopf.OperatorSettings()
    chosen.posting.enabled = False
    chosen.peering.standalone = True
    # With it, kopf would need to list and watch CRDs and namespaces of the whole cluster.
    chosen.scanning.disabled = True
    # The API server ends each watch within that time; without bookmarks or events for longer, kopf reconnects.
    chosen.watching.server_timeout = 290
    chosen.watching.connect_timeout = 10
    chosen.watching.inactivity_timeout = 70
    chosen.networking.request_timeout = 60
    # Else kopf kills the process that long after it has ended, though it may have been started anew by then.
    chosen.process.ultimate_exiting_timeout = None
    chosen.watching.field_selectors[EVENTS.group_version_plural] = "type=Warning"
    for resource in watched(engines):
        chosen.watching.label_selectors[resource.group_version_plural] = LABEL_JOB_UID
    return chosen
