"""The shipped roles on a real API server: who may use jobs, and what the operator may ask."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from sqlflow_operator.kube.client import KubeClient
from sqlflow_operator.workflow.backends.argo_rights import missing_right

from tests.integration.conftest import client
from tests.integration.controlplane import ControlPlane

pytestmark = pytest.mark.integration

MANIFESTS = Path(__file__).resolve().parents[2] / "manifests" / "base"
READ = ("get", "list", "watch")
WRITE = ("create", "update", "patch", "delete", "deletecollection")


def may(plane: ControlPlane, namespace: str, person: str, verb: str, subresource: str = "") -> bool:
    what = ["sqlflowjobs.sqlflow.org", *([f"--subresource={subresource}"] if subresource else [])]
    done = plane.run("auth", "can-i", verb, *what, "-n", namespace, "--as", person, check=False)
    return done.stdout.strip() == "yes"


@pytest.mark.parametrize(("role", "verbs"), [("sqlflow-view", READ), ("sqlflow-edit", WRITE)])
def test_a_role_of_people_allows_what_it_says(
    plane: ControlPlane, namespace: str, role: str, verbs: tuple[str, ...]
) -> None:
    plane.run("apply", "-f", str(MANIFESTS / "user-roles.yaml"))
    plane.run("create", "rolebinding", "people", "-n", namespace, f"--clusterrole={role}", f"--user={role}-user")
    allowed = {verb for verb in (*READ, *WRITE) if may(plane, namespace, f"{role}-user", verb)}
    assert allowed == set(verbs)
    assert not may(plane, namespace, f"{role}-user", "patch", "status"), "the status is the operator's"
    assert not may(plane, "default", f"{role}-user", verbs[0])


def test_kubernetes_own_roles_take_them_up(plane: ControlPlane) -> None:
    """What the controller of aggregated roles selects, which is no part of this control plane."""
    ours = {role["metadata"]["name"]: role for role in yaml.safe_load_all((MANIFESTS / "user-roles.yaml").read_text())}
    taken: dict[str, set[str]] = {}
    for name in ("view", "edit", "admin"):
        builtin = yaml.safe_load(plane.run("get", "clusterrole", name, "-o", "yaml").stdout)
        for selector in builtin["aggregationRule"]["clusterRoleSelectors"]:
            wanted = selector["matchLabels"].items()
            found = {n for n, role in ours.items() if wanted <= role["metadata"]["labels"].items()}
            taken.setdefault(name, set()).update(found)
    assert taken == {
        "view": {"sqlflow-view"},
        "edit": {"sqlflow-view", "sqlflow-edit"},
        "admin": {"sqlflow-view", "sqlflow-edit"},
    }


def test_the_operator_asks_whether_argos_executor_may_report(
    plane: ControlPlane, kube: KubeClient, namespace: str
) -> None:
    operator = client(plane.operator)
    missing = missing_right(operator, namespace, None)
    assert f"service account default may not create workflowtaskresults in namespace {namespace}" in missing
    plane.run("apply", "-f", str(MANIFESTS / "argo-steps-role.yaml"))
    command = missing[missing.index("kubectl create rolebinding") :].split()
    plane.run(*command[1:])
    assert missing_right(operator, namespace, None) == ""
    assert missing_right(operator, namespace, "other") != ""


def test_a_role_bound_to_all_accounts_of_a_namespace_counts(plane: ControlPlane, namespace: str) -> None:
    plane.run("apply", "-f", str(MANIFESTS / "argo-steps-role.yaml"))
    group = f"--group=system:serviceaccounts:{namespace}"
    plane.run("create", "rolebinding", "all", "-n", namespace, "--clusterrole=sqlflow-argo-steps", group)
    assert missing_right(client(plane.operator), namespace, "any") == ""
