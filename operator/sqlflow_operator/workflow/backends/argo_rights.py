"""Checks, before a run starts, that Argo's executor will be able to report the steps.

The executor, a container beside each step, creates WorkflowTaskResults under the service account of the steps. If that
may not, each step ends in an error after its statements are done.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import yaml

from sqlflow_operator.kube import CONFIG_MAPS, LOCAL_ACCESS_REVIEWS, ApiError, Kube

logger = logging.getLogger(__name__)

ARGO_NAMESPACE, CONTROLLER_CONFIG = "argo", "workflow-controller-configmap"
"""The ConfigMap in which Argo's installation manifests put the controller's configuration."""

_VERBS = ("create", "patch")

ROLE_ADVICE = (
    "Argo's executor reports through WorkflowTaskResults, which the service account of the steps may not create. "
    "Allow it: kubectl create rolebinding sqlflow-argo-steps --clusterrole=sqlflow-argo-steps "
    "--serviceaccount={account}"
)
"""The advice, given the account as `namespace:name -n namespace`."""


def missing_right(kube: Kube, namespace: str, account: str | None) -> str:
    """The right that the steps' service account lacks, with advice; "" if it has it, or if that cannot be known.

    Args:
        kube: the cluster.
        namespace: the namespace of the run.
        account: the service account that the job names, or None.
    """
    name = account or _default_account(kube) or "default"
    if all(_may(kube, namespace, name, verb) for verb in _VERBS):
        return ""
    advice = ROLE_ADVICE.format(account=f"{namespace}:{name} -n {namespace}")
    return f"service account {name} may not create workflowtaskresults in namespace {namespace}. {advice}"


def _may(kube: Kube, namespace: str, account: str, verb: str) -> bool:
    """True if an account may do that to WorkflowTaskResults, or if the operator may not ask."""
    attributes = {"namespace": namespace, "group": "argoproj.io", "resource": "workflowtaskresults", "verb": verb}
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
    user = f"system:serviceaccount:{namespace}:{account}"
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "LocalSubjectAccessReview",
        "metadata": {"namespace": namespace},
        "spec": {"user": user, "groups": groups, "resourceAttributes": attributes},
    }
    try:
        answer = kube.create(LOCAL_ACCESS_REVIEWS, namespace, review).get("status") or {}
    except ApiError as error:
        logger.info("the rights of %s cannot be asked for: %s", user, error)
        return True
    return bool(answer.get("allowed")) or bool(answer.get("evaluationError"))


def _default_account(kube: Kube) -> str:
    """The service account that Argo's controller gives to workflows that name none; "" if that is not known."""
    try:
        data = kube.get(CONFIG_MAPS, ARGO_NAMESPACE, CONTROLLER_CONFIG).get("data") or {}
    except ApiError:
        return ""  # no such ConfigMap there, or not to be read by an operator of one namespace
    # Argo takes its settings as keys of the ConfigMap, or all of them in one text under the key `config`.
    defaults = _parsed(data.get("workflowDefaults") or _parsed(data.get("config")).get("workflowDefaults"))
    spec = _parsed(defaults.get("spec"))
    executor = spec.get("executor") or {}
    return str(executor.get("serviceAccountName") or spec.get("serviceAccountName") or "")


def _parsed(value: Any) -> dict[str, Any]:
    """A mapping that may have been written as YAML text; empty if it is none."""
    try:
        value = yaml.safe_load(value) if isinstance(value, str) else value
    except yaml.YAMLError:
        return {}
    return dict(value) if isinstance(value, Mapping) else {}
