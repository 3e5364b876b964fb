"""The `job` backend: one batch/v1 Job whose containers are the steps, in the program's order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlflow_codegen.backend import RunOptions
from sqlflow_codegen.contract import FINAL_EXIT_CODES
from sqlflow_codegen.generator import ProgramCodegen
from sqlflow_codegen.manifests import label_value, placement, pod_metadata, program_volumes


class JobCodegen(ProgramCodegen):
    """Code generator of the `job` backend."""

    backend = "job"
    program = "batch_job"
    run_uid: ClassVar = label_value("batch.kubernetes.io/controller-uid")
    suspends_running = True
    one_pod = True

    def _data(self, options: RunOptions, texts: Mapping[str, str], common: dict[str, Any]) -> dict[str, Any]:
        return common | {
            "POD_METADATA": pod_metadata(options),
            "POD": _pod(options, copies=bool(common["COPY"])),
            "JOB": _job(options),
        }


def _pod(options: RunOptions, *, copies: bool) -> dict[str, Any]:
    """The pod's spec, without its containers."""
    account = {"serviceAccountName": options.service_account_name} if options.service_account_name else {}
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "volumes": program_volumes(options, copies=copies),
        **account,
        **placement(options),
    }


def _job(options: RunOptions) -> dict[str, Any]:
    """The Job's spec, without its pod."""
    rules: list[dict[str, Any]] = [
        {"action": "FailJob", "onExitCodes": {"operator": "In", "values": list(FINAL_EXIT_CODES)}},
    ]
    if options.retries > 0:
        rules.append({"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]})
    spec: dict[str, Any] = {"backoffLimit": options.retries, "podFailurePolicy": {"rules": rules}}
    if options.active_deadline_seconds is not None:
        spec["activeDeadlineSeconds"] = options.active_deadline_seconds
    if options.suspend:
        spec["suspend"] = True
    return spec
