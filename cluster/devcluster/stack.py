"""The whole system on a cluster: images, operator, a database with data. The demo and the e2e tests stand on it.

Every part is brought to the state that this checkout describes, so running it again is quick and right.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

from devcluster import current, images, load
from devcluster.cluster import Cluster
from devcluster.context import Context
from devcluster.errors import DevClusterError
from devcluster.forecast import Work
from devcluster.layout import Layout
from devcluster.process import Completed, Runner
from devcluster.progress import Reporter
from devcluster.tools import tool

StackError = DevClusterError

SYSTEM_NAMESPACE = "sqlflow-system"
OPERATOR = "deployment/sqlflow-operator"
OPERATOR_IMAGE, STEP_IMAGE, DATABASE_IMAGE = (f"localhost/sqlflow-{n}:dev" for n in ("operator", "step", "postgres"))
DATABASE_USER = "sqlflow"
IMAGE_SECONDS = (50, 60, 40)
"""Of building those images on two quiet cores, for forecasts."""

INSTALL, WAIT_OPERATOR, WAIT_DATABASE, LOAD_DATA = (
    "Install the CRD and the operator",
    "Wait for the operator",
    "Wait for PostgreSQL",
    "Load the iris data",
)
INSTALL_WORKS = ((INSTALL, 3), (WAIT_OPERATOR, 12), (WAIT_DATABASE, 12), (LOAD_DATA, 2))


@dataclass(frozen=True, slots=True)
class Stack:
    """A cluster with the operator installed.

    Attributes:
        context: how to run programs here.
        kubectl: path of kubectl.
        kubeconfig: path of the cluster's kubeconfig.
        namespace: where the demo database lives and jobs run.
    """

    context: Context
    kubectl: str
    kubeconfig: Path
    namespace: str

    def command(self, *arguments: str) -> list[str]:
        """The command line of kubectl for this cluster and namespace."""
        return [self.kubectl, "--kubeconfig", str(self.kubeconfig), "--namespace", self.namespace, *arguments]

    def run(self, *arguments: str, stdin: str | None = None, timeout: float = 60) -> Completed:
        """Run kubectl to its end, whatever comes out."""
        return self.context.runner.run(self.command(*arguments), stdin=stdin, timeout=timeout)

    def do(self, what: str, *arguments: str, stdin: str | None = None, timeout: float = 120) -> str:
        """Run kubectl under a progress line.

        Raises:
            DevClusterError: it failed; `what` says what it was for.
        """
        with self.context.reporter.step(what):
            return self.context.short(what, self.command(*arguments), stdin=stdin, timeout=timeout)

    def psql(self, script: str, *options: str) -> str:
        """Run SQL in the demo database by psql in its own pod.

        Raises:
            DevClusterError: psql failed.
        """
        psql = ["psql", "--host=/tmp", f"--username={DATABASE_USER}", "--no-psqlrc", "--set=ON_ERROR_STOP=1"]
        arguments = ("exec", "-i", "deployment/postgres", "--", *psql, *options, DATABASE_USER)
        return self.context.short("Ask the demo database", self.command(*arguments), stdin=script, timeout=120)


def default_context() -> Context:
    """This checkout, real programs, progress on stderr."""
    return Context(Runner(), Reporter(), Layout.default())


def ensure_stack(namespace: str, context: Context | None = None) -> Stack:
    """Bring up cluster, operator and database with the iris data, whatever of it is missing.

    Raises:
        DevClusterError: this machine cannot have a cluster, or a part failed; says which and what to do.
    """
    context = context or default_context()
    cluster = Cluster.open(context)
    mine = current.find(context) if current.is_asked_for() else None
    context.reporter.plan(works(cluster, new_cluster=mine is None))
    kubeconfig = Path(mine.kubeconfig) if mine else cluster.up()
    names = build_images(cluster)
    if mine:
        load.load_into_current(context, cluster.engine, mine, names)
    else:
        load.load_images(cluster, names)
    stack = Stack(context, str(tool(context, "kubectl")), kubeconfig, namespace)
    install_operator(stack, cluster)
    install_database(stack)
    return stack


def works(cluster: Cluster, *, new_cluster: bool) -> list[Work]:
    """The steps that `ensure_stack` would take on a machine where something long is missing; else none."""
    context, engine = cluster.context, cluster.engine
    builds = [
        Work(images.title(build), seconds)
        for build, seconds in zip(image_builds(context), IMAGE_SECONDS, strict=True)
        if not engine.has_image(context.runner, build.name)
    ]
    made = cluster.works() if new_cluster and not cluster.is_healthy() else []
    if not made and not builds:
        return []
    return [*made, *builds, *(Work(title, seconds) for title, seconds in INSTALL_WORKS)]


def image_builds(context: Context) -> tuple[images.Build, ...]:
    """The operator's, the steps' and the demo database's image."""
    root = context.layout.checkout
    postgres = root / "examples" / "postgres"
    return (
        images.Build(OPERATOR_IMAGE, root, root / "Dockerfile", "operator"),
        images.Build(STEP_IMAGE, root, root / "Dockerfile", "step"),
        images.Build(DATABASE_IMAGE, postgres, postgres / "Dockerfile"),
    )


def build_images(cluster: Cluster) -> list[str]:
    """Build the project's images; returns their names."""
    builds = image_builds(cluster.context)
    for build in builds:
        images.build_image(cluster.context, cluster.platform, build)
    return [build.name for build in builds]


def install_operator(stack: Stack, cluster: Cluster) -> None:
    """Apply CRD and operator by kustomize and wait until it is ready; restarts it if an image is another."""
    system = replace(stack, namespace=SYSTEM_NAMESPACE)
    overlay = stack.context.layout.checkout / "manifests" / "overlays" / "dev"
    system.do(INSTALL, "apply", "--kustomize", str(overlay))
    ids = " ".join(cluster.engine.image_id(stack.context.runner, name) for name in (OPERATOR_IMAGE, STEP_IMAGE))
    # The tag stays the same from build to build: without this the old image would go on running.
    patch = {"spec": {"template": {"metadata": {"annotations": {"sqlflow.org/images": ids}}}}}
    system.do("Start this build's operator", "patch", OPERATOR, "--patch", json.dumps(patch))
    _wait_for(system, WAIT_OPERATOR, OPERATOR)


def install_database(stack: Stack) -> None:
    """Run PostgreSQL in the stack's namespace and load the iris data, afresh."""
    examples = stack.context.layout.checkout / "examples"
    if not stack.run("get", "namespace", stack.namespace).ok:
        stack.do(f"Create namespace {stack.namespace}", "create", "namespace", stack.namespace)
    stack.do("Install PostgreSQL", "apply", "--filename", str(examples / "postgres" / "postgres.yaml"))
    _wait_for(stack, WAIT_DATABASE, "deployment/postgres")
    with stack.context.reporter.step(LOAD_DATA):
        stack.psql((examples / "01-iris" / "load.sql").read_text(encoding="utf-8"), "--quiet")


def _wait_for(stack: Stack, what: str, workload: str) -> None:
    """Wait for a rollout in the stack's namespace; where it does not come, the pods' own words say why."""
    try:
        stack.do(what, "rollout", "status", workload, "--timeout=120s", timeout=150)
    except DevClusterError as error:
        pods = stack.run("get", "pods", "--output", "wide").out.splitlines()
        events = stack.run("get", "events", "--sort-by=.lastTimestamp").out.splitlines()
        tail = os.linesep.join([*pods, *events[-8:]])
        raise DevClusterError(f"{what}: it did not come up", error.why, f"This is what there is:\n{tail}") from error
