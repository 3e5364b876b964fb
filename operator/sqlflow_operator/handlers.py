"""kopf's event handlers: they only note what an event showed and put the job's key into the queue.

Low-level event handlers on purpose: they add no finalizer and no annotation, and an event that is lost or comes
twice changes nothing, because whoever takes the key out of the queue reads everything anew.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import kopf
from sqlflow_codegen.backend import LABEL_JOB_UID

from sqlflow_operator.api import GROUP, PLURAL, VERSION
from sqlflow_operator.reconcile import Key
from sqlflow_operator.registry import Registry, is_settled, key_of_job, key_of_part
from sqlflow_operator.workqueue import WorkQueue

logger = logging.getLogger(__name__)


def register(registry: kopf.OperatorRegistry, queue: WorkQueue[Key], seen: Registry) -> None:
    """Register the handlers for jobs, for their children and for the children's pods."""

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def on_job(event: kopf.RawEvent, **_: Any) -> None:
        job_event(event["type"], event["object"], queue, seen)

    @kopf.on.event("batch", "v1", "jobs", labels={LABEL_JOB_UID: kopf.PRESENT}, registry=registry)
    @kopf.on.event("", "v1", "pods", labels={LABEL_JOB_UID: kopf.PRESENT}, registry=registry)
    async def on_part(event: kopf.RawEvent, **_: Any) -> None:
        part_event(event["type"], event["object"], queue, seen)


def job_event(kind: str | None, raw: Mapping[str, Any], queue: WorkQueue[Key], seen: Registry) -> None:
    """A SQLFlowJob was listed, added, changed or deleted."""
    key = key_of_job(raw)
    if kind == "DELETED":
        seen.lost(raw["metadata"]["uid"])
        return
    seen.saw(raw, key, phase=(raw.get("status") or {}).get("phase") or "Pending")
    if not is_settled(raw):
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


def settings() -> kopf.OperatorSettings:
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
    chosen.process.ultimate_exiting_timeout = 10
    for resource in (("batch", "v1", "jobs"), ("", "v1", "pods")):
        chosen.watching.label_selectors[resource] = LABEL_JOB_UID
    return chosen
