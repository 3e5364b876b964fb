"""From a job's spec to the options of a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlflow_codegen.backend import RunOptions
from sqlflow_codegen.contract import MODEL_STORE_ENV

from sqlflow_operator.api import Fusion, SQLFlowJob

_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?([numkMGTPE]|[KMGTPE]i|[eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Defaults:
    """The administrator's defaults for fields that a job leaves out.

    Attributes:
        image: the image of steps.
        pull_policy: when that image is pulled; None leaves it to Kubernetes.
        requests: of each step's container, such as `{"cpu": "100m"}`.
        ttl_seconds_after_finished: when children of runs that have ended are deleted; None: never.
        model_store: URL of the models; "" keeps them in each program's own database.
    """

    image: str
    pull_policy: str | None = None
    requests: Mapping[str, str] = field(default_factory=dict)
    ttl_seconds_after_finished: int | None = None
    model_store: str = ""

    def applied(self, job: SQLFlowJob) -> SQLFlowJob:
        """The job with the time to live that counts for it. It is no part of what makes a run."""
        if job.spec.ttl_seconds_after_finished is not None or self.ttl_seconds_after_finished is None:
            return job
        ttl = {"ttl_seconds_after_finished": self.ttl_seconds_after_finished}
        return replace(job, spec=job.spec.model_copy(update=ttl))


def parse_requests(text: str) -> dict[str, str]:
    """From `cpu=100m,memory=256Mi` to the requests of a container; "" is none.

    Raises:
        ValueError: the text has another form; the message says where.
    """
    found: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, amount = map(str.strip, part.partition("="))
        if not name or not _QUANTITY.fullmatch(amount):
            raise ValueError(f"{part!r} is no resource and amount such as memory=256Mi")
        found[name] = amount
    return found


def _resources(given: Mapping[str, Any], requests: Mapping[str, str]) -> dict[str, Any]:
    """The resources that the job gives, with the default requests of what it neither requests nor limits."""
    said = {*(given.get("requests") or ()), *(given.get("limits") or ())}
    added = {name: amount for name, amount in requests.items() if name not in said}
    return {**given, "requests": {**added, **(given.get("requests") or {})}} if added else dict(given)


def _model_store(url: str) -> tuple[dict[str, Any], ...]:
    """The environment variable of the steps that names the model store; none for the database's own."""
    return ({"name": MODEL_STORE_ENV, "value": url},) if url else ()


def run_options(job: SQLFlowJob, name: str, defaults: Defaults) -> RunOptions:
    """The options of the job's run of that name."""
    spec = job.spec
    return RunOptions(
        name=name,
        namespace=job.namespace,
        owner=job.owner_reference(),
        job_name=job.name,
        secret_name=spec.data_source.secret_ref.name,
        secret_key=spec.data_source.secret_ref.key,
        image=spec.image or defaults.image,
        image_pull_policy=spec.image_pull_policy or (None if spec.image else defaults.pull_policy),
        own_image_pull_policy=spec.image_pull_policy,
        image_pull_secrets=tuple(secret.to_json() for secret in spec.image_pull_secrets or ()),
        service_account_name=spec.service_account_name,
        resources=_resources(spec.resources.to_json() if spec.resources else {}, defaults.requests),
        env=(
            *_model_store(spec.model_store or defaults.model_store),
            *(variable.to_json() for variable in spec.env or ()),
        ),
        node_selector=spec.node_selector or {},
        tolerations=tuple(toleration.to_json() for toleration in spec.tolerations or ()),
        affinity=spec.affinity.to_json() if spec.affinity else {},
        retries=spec.retries,
        active_deadline_seconds=spec.active_deadline_seconds,
        preview_rows=spec.preview_rows,
        suspend=False,
        ordering=spec.ordering,
        fusion=spec.fusion is Fusion.AUTO,
    )
