"""The `argo` backend: a program in Couler that prints an Argo Workflow, a DAG of the steps.

Couler names the steps, orders them and sets what it has words for; what it has none for the program adds, in plain
Python, to the workflow that Couler built. Some of Couler's own words are avoided: arguments of a container become
template parameters in literal quotes, `retry` cannot spare an exit code, `resources` are requests and limits alike,
and its time to live is a field that Argo no longer has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from sqlflow_codegen.backend import RunOptions
from sqlflow_codegen.contract import FINAL_EXIT_CODES, LABEL_STEP
from sqlflow_codegen.generator import ProgramCodegen
from sqlflow_codegen.manifests import placement, pod_metadata, program_volumes, restricted


class CoulerCodegen(ProgramCodegen):
    """Code generator of the `argo` backend."""

    backend = "argo"
    program = "argo_workflow"
    modules = ("couler.argo",)
    run_uid: ClassVar = {"value": "{{workflow.uid}}"}

    def _data(self, options: RunOptions, texts: Mapping[str, str], common: dict[str, Any]) -> dict[str, Any]:
        workflow = {
            "name": options.name,
            "timeout": options.active_deadline_seconds,
            "service_account": options.service_account_name or None,
        }
        return common | {
            "CONTAINER": restricted(common["CONTAINER"]),
            "COPY": restricted(common["COPY"]) if common["COPY"] else {},
            "TEXTS": texts,
            "WORKFLOW": {key: value for key, value in workflow.items() if value is not None},
            "SPEC": _spec(options, texts, copies=bool(common["COPY"])),
            # Argo asks the template's `failFast` before it starts a step; `dag.failFast` does not keep other branches
            # from going on. It counts an attempt that failed like a step that did, so a run with retries does without:
            # there a step finds out by itself (`sqlflow_runtime.attempts`).
            "DAG": {} if options.retries > 0 else {"failFast": True},
            "STEP": _step(options),
            "LABEL_STEP": LABEL_STEP,
        }

    def _own(self, fields: dict[str, Any]) -> dict[str, Any]:
        return {"own": restricted(fields)}

    def _substituted(self, text: str) -> str | None:
        found = re.search(r"\{\{.*?(\}\}|$)", text, re.DOTALL)
        return found[0] if found else None


def _spec(options: RunOptions, texts: Mapping[str, str], *, copies: bool) -> dict[str, Any]:
    """The workflow's spec, without what Couler sets."""
    spec: dict[str, Any] = {"suspend": True} if options.suspend else {}
    spec |= {
        "archiveLogs": False,
        "podMetadata": pod_metadata(options),
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "volumes": program_volumes(options, copies=copies, only_program=bool(texts)),
        **placement(options),
    }
    if options.ttl_seconds_after_finished is not None:
        # Pods hold the only copy of the logs: they live as long as the workflow, whatever the controller's default.
        ttl = options.ttl_seconds_after_finished
        spec["ttlStrategy"] = {"secondsAfterCompletion": ttl}
        spec["podGC"] = {"strategy": "OnWorkflowCompletion", "deleteDelayDuration": f"{ttl}s"}
    return spec


def _step(options: RunOptions) -> dict[str, Any]:
    """The fields of every step's template. The DAG itself is never retried: that would run finished steps again."""
    if options.retries <= 0:
        return {}
    return {
        "retryStrategy": {
            "limit": options.retries,
            "retryPolicy": "Always",
            "expression": f"asInt(lastRetry.exitCode) not in {list(FINAL_EXIT_CODES)}",
            # As a batch/v1 Job waits between its pods.
            "backoff": {"duration": "10", "factor": 2, "cap": "6m"},
        }
    }
