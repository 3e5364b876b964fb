"""Names of runs: the same question asked twice gets the same name, so a run is never started twice."""

from __future__ import annotations

import hashlib
import json
import re

from sqlflow_operator.api import SQLFlowJob

_PREFIX_LENGTH = 40
_HASH_LENGTH = 10
"""40 + 1 + 10 + a repeat number stays below 57: a Job's name is a label, and its pods add six characters to it."""


def run_name(job: SQLFlowJob) -> str:
    """The name of the run that the job's spec asks for.

    It is made of the job's name, a hash of its UID and of the spec's fields that make a run, and, where the spec went
    back to what an earlier run had, a number. The earlier runs are those in the status, so an operator that was killed
    after creating the child finds the same name again.
    """
    base = _base(job)
    current = job.status.run
    if current is not None and _is_of(current.name, base):
        return current.name
    repeats = [_repeat(entry.name, base) for entry in job.status.history if _is_of(entry.name, base)]
    return f"{base}-{max(repeats) + 1}" if repeats else base


def _base(job: SQLFlowJob) -> str:
    content = json.dumps([job.uid, job.spec.run_fields()], sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(content.encode()).hexdigest()[:_HASH_LENGTH]
    prefix = re.sub(r"[^a-z0-9-]", "-", job.name)[:_PREFIX_LENGTH].strip("-")
    return f"{prefix}-{digest}"


def _is_of(name: str, base: str) -> bool:
    return name == base or (name.startswith(f"{base}-") and name[len(base) + 1 :].isdigit())


def _repeat(name: str, base: str) -> int:
    """The number of a run among those of that base, the first being 1."""
    return 1 if name == base else int(name[len(base) + 1 :])
