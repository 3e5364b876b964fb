"""What every backend's child has in common: metadata, the ConfigMap with the program, the containers of the steps.

All of it is plain Kubernetes JSON. Arguments and environment hold no program text: Kubernetes would expand `$(X)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlflow_codegen.backend import RunOptions, job_label
from sqlflow_codegen.contract import (
    ANNOTATION_JOB,
    DATABASE_ENV,
    LABEL_JOB,
    LABEL_JOB_UID,
    LABEL_RUN,
    PROGRAM_DIR,
    PROGRAM_FILE,
    RUN_ENV,
    RUN_UID_ENV,
    Argument,
)
from sqlflow_codegen.graph import Step
from sqlflow_codegen.ranges import format_ranges

PROGRAM_VOLUME = "program"
SCRATCH_VOLUME = "scratch"
SCRATCH_DIR = "/tmp"


def labels(options: RunOptions) -> dict[str, str]:
    """Labels of child, ConfigMap and pods."""
    job = {LABEL_JOB: job_label(options.job_name)} if options.job_name else {}
    uid = {LABEL_JOB_UID: str(options.owner["uid"])} if options.owner and "uid" in options.owner else {}
    return {LABEL_RUN: options.name, **job, **uid}


def metadata(options: RunOptions) -> dict[str, Any]:
    """Metadata of child and ConfigMap."""
    data: dict[str, Any] = {"name": options.name}
    if options.namespace:
        data["namespace"] = options.namespace
    data["labels"] = labels(options)
    if options.job_name:
        data["annotations"] = {ANNOTATION_JOB: options.job_name}
    if options.owner:
        data["ownerReferences"] = [dict(options.owner)]
    return data


def pod_metadata(options: RunOptions) -> dict[str, Any]:
    """Metadata of pod templates."""
    data: dict[str, Any] = {"labels": labels(options)}
    if options.job_name:
        data["annotations"] = {ANNOTATION_JOB: options.job_name}
    return data


def program_arguments(dialect: str) -> list[str]:
    """The arguments of `sqlflow-step` that say what the program is."""
    return [Argument.PROGRAM, f"{PROGRAM_DIR}/{PROGRAM_FILE}", Argument.DIALECT, dialect]


def step_arguments(options: RunOptions) -> list[str]:
    """The arguments of `sqlflow-step` that all steps share, besides the program and the statements."""
    arguments = [Argument.PREVIEW_ROWS, str(options.preview_rows)]
    return [*arguments, Argument.RETRIES, str(options.retries)] if options.retries > 0 else arguments


def own_arguments(step: Step) -> dict[str, str]:
    """The arguments of a step that only some steps need, by their names without dashes."""
    found = {
        "session": format_ranges(step.session),
        "repeat": format_ranges(step.repeat),
        "lost": format_ranges(step.lost),
    }
    return {name: value for name, value in found.items() if value}


def label_value(label: str) -> dict[str, Any]:
    """The value of an environment variable: that of a label of the step's pod."""
    return {"valueFrom": {"fieldRef": {"fieldPath": f"metadata.labels['{label}']"}}}


def environment(options: RunOptions, run_uid: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The environment of every step: the database's URL by reference, the run, then what the user gave.

    Args:
        options: the run's options.
        run_uid: where the engine says the UID of the run's child: `value` or `valueFrom` of a variable.
    """
    secret = {"name": options.secret_name, "key": options.secret_key}
    return [
        {"name": DATABASE_ENV, "valueFrom": {"secretKeyRef": secret}},
        {"name": RUN_ENV, "value": options.name},
        {"name": RUN_UID_ENV, **run_uid},
        *(dict(variable) for variable in options.env),
    ]


def container(options: RunOptions, run_uid: Mapping[str, Any]) -> dict[str, Any]:
    """What the containers of all steps share; `run_uid` as for `environment`."""
    data: dict[str, Any] = {"image": options.image}
    if options.image_pull_policy:
        data["imagePullPolicy"] = options.image_pull_policy
    data["env"] = environment(options, run_uid)
    if options.resources:
        data["resources"] = dict(options.resources)
    data["volumeMounts"] = [
        {"name": PROGRAM_VOLUME, "mountPath": PROGRAM_DIR, "readOnly": True},
        {"name": SCRATCH_VOLUME, "mountPath": SCRATCH_DIR},
    ]
    data["terminationMessagePolicy"] = "FallbackToLogsOnError"
    data["securityContext"] = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    return data


def pod(options: RunOptions) -> dict[str, Any]:
    """The pod's spec, but for its containers."""
    data: dict[str, Any] = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "volumes": [
            {"name": PROGRAM_VOLUME, "configMap": {"name": options.name}},
            {"name": SCRATCH_VOLUME, "emptyDir": {}},
        ],
    }
    optional = {
        "serviceAccountName": options.service_account_name,
        "imagePullSecrets": [dict(secret) for secret in options.image_pull_secrets],
        "nodeSelector": dict(options.node_selector),
        "tolerations": [dict(toleration) for toleration in options.tolerations],
        "affinity": dict(options.affinity),
    }
    return data | {key: value for key, value in optional.items() if value}
