"""One namespace with a database for all cases of a run, on the cluster that the e2e tests use."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlflow_operator.kube import PIPELINE_RUNS, WORKFLOWS, Resource
from sqlflow_operator.kube.client import KubeClient

from tests.e2e.kube import Kube, stack_or_skip
from tests.integration.conftest import ROOT
from tests.integration.conftest import client as connect
from tests.integration.controlplane import ControlPlane, control_plane
from tests.integration.test_engine_schemas import ENGINE_FILES
from tests.integration.test_engine_schemas import ENGINES as ENGINE_CRDS
from tests.support.waiting import wait_for

NAMESPACE = "sqlflow-conformance"
"""Not that of the e2e tests: Argo's executor does not meet the restricted Pod Security profile which they enforce."""

ENGINES: dict[str, tuple[str, Resource, str]] = {
    "argo": ("Argo Workflows", WORKFLOWS, "workflow-controller"),
    "tekton": ("Tekton Pipelines", PIPELINE_RUNS, "tekton-pipelines-controller"),
}
"""By backend: its engine, the kind that it brings, and the Deployment that runs it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--record", metavar="DIR", type=Path, help="write what the engines do in the conformance cases to this folder"
    )


@pytest.fixture(scope="session")
def kube() -> Kube:
    """kubectl in the cases' namespace, whose steps may report to Argo."""
    stack = stack_or_skip(NAMESPACE)
    kube = Kube(stack.kubectl, stack.kubeconfig, NAMESPACE)
    let_steps_report(kube)
    return kube


def let_steps_report(kube: Kube) -> None:
    """Let the steps of a namespace report to Argo."""
    binding = kube.run(
        "create", "rolebinding", "sqlflow-argo-steps", "--clusterrole=sqlflow-argo-steps",
        f"--serviceaccount={kube.namespace}:default", "--dry-run=client", "-o", "yaml",
    ).stdout  # fmt: skip
    kube.run("apply", "-f", "-", text=binding)


@pytest.fixture(scope="session")
def client(kube: Kube) -> KubeClient:
    """The cluster as the operator's own client sees it, with the rights of the kubeconfig."""
    return connect(kube.kubeconfig)


@pytest.fixture
def table(kube: Kube) -> Iterator[str]:
    """Prefix of the names of everything that a case leaves in the database; dropped after the test."""
    name = f"c_{uuid.uuid4().hex[:8]}"
    yield name
    tables = kube.psql(f"SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE tablename LIKE '{name}%'")
    drops = [f"DROP TABLE IF EXISTS {row[0]} CASCADE" for row in tables]
    drops += [f"DROP FUNCTION IF EXISTS {name}_two", f"DROP SEQUENCE IF EXISTS {name}_seq"]
    kube.psql(";\n".join(drops))


def require_engine(backend: str, kube: Kube, client: KubeClient) -> None:
    """Skip, with the reason, where the cluster has no such engine."""
    if backend not in ENGINES:
        return
    engine, resource, deployment = ENGINES[backend]
    if not client.serves(resource):
        pytest.skip(f"the cluster has no {engine}: it does not serve {resource.plural} ({resource.api})")
    found = kube.run(
        "get", "deployments", "--all-namespaces", f"--field-selector=metadata.name={deployment}",
        "-o", "jsonpath={.items[*].status.readyReplicas}",
    ).stdout  # fmt: skip
    if not found.strip("0 "):
        pytest.skip(f"the cluster serves {resource.plural}, but no Deployment {deployment} of {engine} is ready")


@pytest.fixture
def engine(kube: Kube, client: KubeClient) -> Callable[[str], None]:
    """Skips, with the reason, where the cluster has not the engine of that backend."""
    return lambda backend: require_engine(backend, kube, client)


@pytest.fixture(scope="session")
def engines_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """An API server, without nodes, that knows jobs and the engines' objects, with the operator's role."""
    if not ENGINE_CRDS.is_dir():
        pytest.skip(f"the engines' CRDs are not beside this checkout ({ENGINE_CRDS})")
    with control_plane(tmp_path_factory.mktemp("replay")) as started:
        files = [*ENGINE_FILES, "-f", str(ROOT / "crds" / "sqlflowjobs.yaml")]
        started.run("apply", "--server-side", *files)
        for name in ("namespace", "service-account", "role", "argo-steps-role"):
            started.run("apply", "-f", str(ROOT / "manifests" / "base" / f"{name}.yaml"))
        everyone = ("--clusterrole=sqlflow-argo-steps", "--group=system:serviceaccounts")
        started.run("create", "clusterrolebinding", "argo-steps", *everyone)
        started.run("wait", "--for=condition=Established", "--timeout=60s", *files)
        served = "workflows.argoproj.io,pipelineruns.tekton.dev,taskruns.tekton.dev,sqlflowjobs.sqlflow.org"
        # A kind that is established is not yet served: its storage may still be initializing.
        wait_for(lambda: started.run("get", served, check=False).returncode == 0, "the kinds are served", 60)
        yield started


@pytest.fixture(scope="session")
def engines_kube(engines_plane: ControlPlane) -> KubeClient:
    return connect(engines_plane.admin)
