"""From a job's spec to the options of a run."""

from __future__ import annotations

from dataclasses import dataclass

from sqlflow_codegen.backend import RunOptions

from sqlflow_operator.api import Fusion, SQLFlowJob


@dataclass(frozen=True, slots=True)
class StepImage:
    """The image of steps that a job gets which names none."""

    image: str
    pull_policy: str | None = None


def run_options(job: SQLFlowJob, name: str, step_image: StepImage) -> RunOptions:
    """The options of the job's run of that name."""
    spec = job.spec
    return RunOptions(
        name=name,
        namespace=job.namespace,
        owner=job.owner_reference(),
        job_name=job.name,
        secret_name=spec.data_source.secret_ref.name,
        secret_key=spec.data_source.secret_ref.key,
        image=spec.image or step_image.image,
        image_pull_policy=spec.image_pull_policy or (None if spec.image else step_image.pull_policy),
        image_pull_secrets=tuple(secret.to_json() for secret in spec.image_pull_secrets or ()),
        service_account_name=spec.service_account_name,
        resources=spec.resources.to_json() if spec.resources else {},
        env=tuple(variable.to_json() for variable in spec.env or ()),
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
