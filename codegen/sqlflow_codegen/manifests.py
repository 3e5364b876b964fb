"""The common parts of every backend's child: metadata, volumes, and the containers of the steps.

All of it is plain Kubernetes JSON. Arguments and environment hold no program text: Kubernetes would expand `$(X)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlflow_codegen.backend import RunOptions, job_label
from sqlflow_codegen.contract import (
    ANNOTATION_JOB,
    DATABASE_ENV,
    IMAGE_ENV,
    LABEL_JOB,
    LABEL_JOB_UID,
    LABEL_RUN,
    PROGRAM_DIR,
    PROGRAM_FILE,
    RUN_ENV,
    RUN_UID_ENV,
    STEP_COMMAND,
    Flag,
)
from sqlflow_codegen.graph import Step
from sqlflow_codegen.portable import COPY_CONTAINER, PORTABLE_DIR, portable_command
from sqlflow_codegen.ranges import format_ranges

RUN_USER = 65532
"""The user under which commands of TO RUN run, whatever user their image names: that of the step image."""

_PORTABLE = {"name": "portable", "mountPath": PORTABLE_DIR}


def pod_metadata(options: RunOptions) -> dict[str, Any]:
    """Metadata of pod templates: the labels and annotations that child and ConfigMap have too."""
    labels = {LABEL_RUN: options.name}
    if options.job_name:
        labels[LABEL_JOB] = job_label(options.job_name)
    if options.owner and "uid" in options.owner:
        labels[LABEL_JOB_UID] = str(options.owner["uid"])
    return {"labels": labels} | ({"annotations": {ANNOTATION_JOB: options.job_name}} if options.job_name else {})


def metadata(options: RunOptions) -> dict[str, Any]:
    """Metadata of child and ConfigMap."""
    namespace = {"namespace": options.namespace} if options.namespace else {}
    owners = {"ownerReferences": [dict(options.owner)]} if options.owner else {}
    return {"name": options.name, **namespace, **pod_metadata(options), **owners}


def shared_arguments(options: RunOptions, dialect: str, *, resumable: bool) -> list[str]:
    """The arguments of `sqlflow-step` that all steps of a run share.

    Args:
        options: the run's options.
        dialect: the SQL dialect of the program.
        resumable: True if a step that is stopped goes on later. One with retries does so anyway.
    """
    program = [Flag.PROGRAM, f"{PROGRAM_DIR}/{PROGRAM_FILE}", Flag.DIALECT, dialect]
    arguments = [*program, Flag.PREVIEW_ROWS, str(options.preview_rows)]
    if options.retries > 0:
        return [*arguments, Flag.RETRIES, str(options.retries)]
    return [*arguments, Flag.RESUMABLE] if resumable else arguments


def own_arguments(step: Step) -> dict[str, str]:
    """The arguments of a step that only some steps need, by their names without dashes."""
    found = {"session": step.session, "repeat": step.repeat, "lost": step.lost}
    return {name: format_ranges(numbers) for name, numbers in found.items() if numbers}


def label_value(label: str) -> dict[str, Any]:
    """The value of an environment variable: that of a label of the step's pod."""
    return {"valueFrom": {"fieldRef": {"fieldPath": f"metadata.labels['{label}']"}}}


def container(options: RunOptions, run_uid: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that the containers of all steps share.

    Args:
        options: the run's options.
        run_uid: `value` or `valueFrom` of an environment variable: the UID of the run's child.
    """
    secret = {"name": options.secret_name, "key": options.secret_key}
    fields = {
        "image": options.image,
        "imagePullPolicy": options.image_pull_policy,
        "command": [STEP_COMMAND],
        "env": [
            {"name": DATABASE_ENV, "valueFrom": {"secretKeyRef": secret}},
            {"name": RUN_ENV, "value": options.name},
            {"name": RUN_UID_ENV, **run_uid},
            *(dict(variable) for variable in options.env),
        ],
        "resources": dict(options.resources),
        "volumeMounts": [
            {"name": "program", "mountPath": PROGRAM_DIR, "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},
        ],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return {key: value for key, value in fields.items() if value}


def own_container(options: RunOptions, step: Step, shared: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the container of a step that has an image of its own, instead of the shared ones.

    The image of a model is based on the step image. That of TO RUN need not know us: it starts the portable copy.
    """
    fields = {**shared, "image": step.image, "imagePullPolicy": options.own_image_pull_policy}
    fields["env"] = [*shared["env"], {"name": IMAGE_ENV, "value": step.image}]
    if step.kind == "run":
        # Images may have been made for root, which the restricted profile forbids, and write beside their programs.
        context = {key: value for key, value in shared["securityContext"].items() if key != "readOnlyRootFilesystem"}
        fields |= {
            "command": portable_command(),
            "volumeMounts": [*shared["volumeMounts"], {**_PORTABLE, "readOnly": True}],
            "securityContext": {**context, "runAsNonRoot": True, "runAsUser": RUN_USER},
        }
    return {key: value for key, value in fields.items() if value}


def copy_container(shared: Mapping[str, Any]) -> dict[str, Any]:
    """The container that runs before a step of TO RUN and makes the portable copy of the step program."""
    fields = ("image", "imagePullPolicy", "command", "resources", "securityContext")
    return {
        "name": COPY_CONTAINER,
        **{key: shared[key] for key in fields if key in shared},
        "args": [Flag.COPY_TO, PORTABLE_DIR],
        "volumeMounts": [_PORTABLE],
    }


def restricted(container: Mapping[str, Any]) -> dict[str, Any]:
    """Return the container with all that the restricted profile asks for in its own security context.

    The engines add containers of their own to a pod, whose images may run as root: the pod's context demands nothing
    that only the step must obey.
    """
    return {**container, "securityContext": {"runAsNonRoot": True, **container["securityContext"]}}


def program_volumes(options: RunOptions, *, copies: bool, only_program: bool = False) -> list[dict[str, Any]]:
    """The pods' volumes.

    Args:
        options: the run's options.
        copies: True if a step needs the portable copy of the step program.
        only_program: True if the ConfigMap carries more than the program: the steps see only the program.
    """
    files = {"items": [{"key": PROGRAM_FILE, "path": PROGRAM_FILE}]} if only_program else {}
    return [
        {"name": "program", "configMap": {"name": options.name, **files}},
        {"name": "scratch", "emptyDir": {}},
        *([{"name": _PORTABLE["name"], "emptyDir": {}}] if copies else []),
    ]


def placement(options: RunOptions) -> dict[str, Any]:
    """The fields of a pod's spec that the user gives: where it runs, and with which pull secrets."""
    fields = {
        "imagePullSecrets": [dict(secret) for secret in options.image_pull_secrets],
        "nodeSelector": dict(options.node_selector),
        "tolerations": [dict(toleration) for toleration in options.tolerations],
        "affinity": dict(options.affinity),
    }
    return {key: value for key, value in fields.items() if value}
