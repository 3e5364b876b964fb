"""What the watch streams have told so far: enough to wake the right job, to count phases, to notice silence.

It is a memory of events, never a source of decisions: those read the API server.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlflow_codegen.contract import ANNOTATION_JOB

from sqlflow_operator.clock import from_text
from sqlflow_operator.reconcile import Key


@dataclass(frozen=True, slots=True)
class Known:
    """One object, as the latest event showed it."""

    key: Key
    version: str
    phase: str = ""


class Registry:
    """Objects by UID. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objects: dict[str, Known] = {}

    def saw(self, raw: Mapping[str, Any], key: Key, *, phase: str = "") -> None:
        """An event showed that object."""
        metadata = raw["metadata"]
        with self._lock:
            self._objects[metadata["uid"]] = Known(key, metadata.get("resourceVersion", ""), phase)

    def lost(self, uid: str) -> None:
        """An event told that the object of that UID is gone."""
        with self._lock:
            self._objects.pop(uid, None)

    def known(self) -> dict[str, Known]:
        """All known objects by UID."""
        with self._lock:
            return dict(self._objects)

    def phases(self) -> Counter[str]:
        """How many known jobs there are in each phase."""
        with self._lock:
            return Counter(known.phase for known in self._objects.values() if known.phase)


def key_of_job(raw: Mapping[str, Any]) -> Key:
    """The key of a SQLFlowJob."""
    return raw["metadata"].get("namespace", ""), raw["metadata"]["name"]


def key_of_part(raw: Mapping[str, Any]) -> Key | None:
    """The key of the SQLFlowJob that a child or pod belongs to, None where it does not tell."""
    name = (raw["metadata"].get("annotations") or {}).get(ANNOTATION_JOB)
    return (raw["metadata"].get("namespace", ""), name) if name else None


LONG_GONE = timedelta(days=1)
"""So long after a run's time to live nothing of it is looked for any more."""


def is_settled(raw: Mapping[str, Any], *, ttl: int | None, now: datetime) -> bool:
    """True where the status of a SQLFlowJob shows that nothing can be left to do: not worth a look.

    A run that has ended stays as it is, unless its time to live runs; a suspended job waits for an edit.

    Args:
        raw: the job.
        ttl: seconds that runs live after their end where the job does not say; None: for ever.
        now: the present moment.
    """
    status, spec = raw.get("status") or {}, raw.get("spec") or {}
    if status.get("observedGeneration") != raw["metadata"].get("generation"):
        return False
    if status.get("phase") == "Suspended":
        return bool(spec.get("suspend"))
    if status.get("phase") not in ("Succeeded", "Failed"):
        return False
    seconds = spec.get("ttlSecondsAfterFinished", ttl)
    end = from_text((status.get("run") or {}).get("finishedAt"))
    return seconds is None or end is None or now > end + timedelta(seconds=seconds) + LONG_GONE
