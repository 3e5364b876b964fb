"""kopf's event handlers: they only note what an event showed and put the job's key into the queue.

Low-level event handlers on purpose: they add no finalizer and no annotation, and an event that is lost or comes
twice changes nothing, because whoever takes the key out of the queue reads everything anew.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

import kopf
from sqlflow_codegen.contract import LABEL_JOB_UID

from sqlflow_operator import clock
from sqlflow_operator.api import GROUP, PLURAL, VERSION, Backend
from sqlflow_operator.backend_registry import definition
from sqlflow_operator.kube import PODS, Resource
from sqlflow_operator.reconcile import Key
from sqlflow_operator.registry import Registry, is_settled, key_of_job, key_of_part
from sqlflow_operator.workqueue import WorkQueue

logger = logging.getLogger(__name__)


def watched(engines: Iterable[Backend]) -> tuple[Resource, ...]:
    """The kinds of children, of what is between them and their pods, and of the pods."""
    return (*(resource for engine in sorted(engines) for resource in definition(engine).kinds), PODS)


def register(
    registry: kopf.OperatorRegistry,
    engines: Iterable[Backend],
    queue: WorkQueue[Key],
    seen: Registry,
    *,
    ttl: int | None = None,
) -> None:
    """Register the handlers for jobs, for their children of those engines and for the children's pods.

    Args:
        registry: kopf's.
        engines: whose kinds are watched.
        queue: takes the keys of jobs that are worth a look.
        seen: takes note of every object.
        ttl: seconds that runs live after their end where a job does not say; None: for ever.
    """

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def on_job(event: kopf.RawEvent, **_: Any) -> None:
        job_event(event["type"], event["object"], queue, seen, ttl=ttl)

    async def on_part(event: kopf.RawEvent, **_: Any) -> None:
        part_event(event["type"], event["object"], queue, seen)

    for resource in watched(engines):
        kopf.on.event(*resource.group_version_plural, labels={LABEL_JOB_UID: kopf.PRESENT}, registry=registry)(on_part)


def job_event(
    kind: str | None, raw: Mapping[str, Any], queue: WorkQueue[Key], seen: Registry, *, ttl: int | None = None
) -> None:
    """A SQLFlowJob was listed, added, changed or deleted; `ttl` as in `register`."""
    key = key_of_job(raw)
    if kind == "DELETED":
        seen.lost(raw["metadata"]["uid"])
        return
    seen.saw(raw, key, phase=(raw.get("status") or {}).get("phase") or "Pending")
    if not is_settled(raw, ttl=ttl, now=clock.now()):
        queue.add(key)


def part_event(kind: str | None, raw: Mapping[str, Any], queue: WorkQueue[Key], seen: Registry) -> None:
    """A child or a pod was listed, added, changed or deleted."""
    key = key_of_part(raw)
    if key is None:
        return
    if kind == "DELETED":
        seen.lost(raw["metadata"]["uid"])
    else:
        seen.saw(raw, key)
    queue.add(key)


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
    for resource in watched(engines):
        chosen.watching.label_selectors[resource.group_version_plural] = LABEL_JOB_UID
    return chosen
