"""Workflow engines for the demo: found in the cluster, else installed from their released manifest, else named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from devcluster.errors import DevClusterError
from devcluster.stack import Stack

STEPS_ROLE = "sqlflow-argo-steps"


@dataclass(frozen=True, slots=True)
class WorkflowEngine:
    """A workflow engine: how it is recognised and where its release is."""

    title: str
    crd: str
    namespace: str
    workloads: tuple[str, ...]
    manifest: str


ENGINES: Mapping[str, WorkflowEngine] = {
    "argo": WorkflowEngine(
        "Argo Workflows",
        "workflows.argoproj.io",
        "argo",
        ("deployment/workflow-controller",),
        "https://github.com/argoproj/argo-workflows/releases/download/v4.1.2/install.yaml",
    ),
    "tekton": WorkflowEngine(
        "Tekton Pipelines",
        "pipelineruns.tekton.dev",
        "tekton-pipelines",
        ("deployment/tekton-pipelines-controller", "deployment/tekton-pipelines-webhook"),
        "https://github.com/tektoncd/pipeline/releases/download/v1.6.0/release.yaml",
    ),
}


def ensure_engine(stack: Stack, backend: str) -> None:
    """See that the cluster has the engine of that backend and that it runs; `job` needs none.

    Raises:
        DevClusterError: there is no such backend, or the engine is missing and cannot be installed from here.
    """
    if backend == "job":
        return
    engine = ENGINES.get(backend)
    if engine is None:
        raise DevClusterError(f"There is no backend {backend}", todo="Set BACKEND to job, argo or tekton")
    if not stack.run("get", "crd", engine.crd).ok:
        _install(stack, engine)
    system = replace(stack, namespace=engine.namespace)
    for workload in engine.workloads:
        _wait(system, engine, workload)
    if backend == "argo":
        binding = ("create", "rolebinding", STEPS_ROLE, f"--clusterrole={STEPS_ROLE}")
        account = f"--serviceaccount={stack.namespace}:default"
        if not stack.run("get", "rolebinding", STEPS_ROLE).ok:
            stack.do("Let the steps report to Argo", *binding, account)


def _install(stack: Stack, engine: WorkflowEngine) -> None:
    system = replace(stack, namespace=engine.namespace)
    if not stack.run("get", "namespace", engine.namespace).ok:
        stack.do(f"Create namespace {engine.namespace}", "create", "namespace", engine.namespace)
    with stack.context.reporter.step(f"Install {engine.title}"):
        done = system.run("apply", "--server-side", "--filename", engine.manifest, timeout=120)
        if not done.ok:
            why = (done.err.strip().splitlines() or ["kubectl gave no reason"])[-1]
            raise DevClusterError(
                f"The cluster has no {engine.title} ({engine.crd}), and its release cannot be installed from here",
                why,
                "Install it as docs/backends.md says, or run `make demo` without BACKEND",
            )


def _wait(system: Stack, engine: WorkflowEngine, workload: str) -> None:
    """Wait for one of the engine's workloads; one that is not there may have another name, and the demo goes on."""
    if not system.run("get", workload).ok:
        return
    try:
        system.do(f"Wait for {engine.title}", "rollout", "status", workload, "--timeout=120s", timeout=150)
    except DevClusterError as error:
        todo = f"Look at it: kubectl -n {engine.namespace} describe {workload}"
        raise DevClusterError(f"{engine.title} does not run: {workload} is not ready", error.why, todo) from error
