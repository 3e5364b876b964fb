"""A real API server with the CRD and the operator's role, and real operator processes against it."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import kubernetes
import pytest
from sqlflow_operator.kube import CONFIG_MAPS, EVENTS, JOBS, SQLFLOWJOBS, NotFoundError, Object, Resource
from sqlflow_operator.kube.client import KubeClient

from tests.integration.controlplane import ControlPlane, control_plane, free_port
from tests.support.http_get import http_get
from tests.support.waiting import wait_for
from tests.unit.operator.jobcontroller import JobController
from tests.unit.operator.world import job_manifest

ROOT = Path(__file__).resolve().parents[2]
NAMESPACES = Resource("api/v1", "namespaces")


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with control_plane(tmp_path_factory.mktemp("plane")) as started:
        started.run("apply", "-f", str(ROOT / "crds" / "sqlflowjobs.yaml"))
        for name in ("namespace", "service-account", "role"):
            started.run("apply", "-f", str(ROOT / "manifests" / "base" / f"{name}.yaml"))
        started.run("wait", "--for=condition=Established", "crd/sqlflowjobs.sqlflow.org", "--timeout=30s")
        yield started


def client(kubeconfig: Path) -> KubeClient:
    configuration = kubernetes.client.Configuration()
    kubernetes.config.load_kube_config(str(kubeconfig), client_configuration=configuration)
    return KubeClient(configuration)


@pytest.fixture(scope="session")
def kube(plane: ControlPlane) -> KubeClient:
    return client(plane.admin)


@dataclass
class OperatorProcess:
    """The operator as a process of its own, with the rights of its role."""

    plane: ControlPlane
    port: int
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self, ready: bool = True) -> None:
        environment = {**os.environ, "KUBECONFIG": str(self.plane.operator), "SQLFLOW_PORT": str(self.port)}
        environment |= {"SQLFLOW_STEP_IMAGE": "step:1", "SQLFLOW_RESYNC_SECONDS": "2", **self.environment}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sqlflow_operator.main"], env=environment, stdout=log, stderr=log
            )
        if ready:
            wait_for(lambda: self.probe("readyz") == 200, "the operator is ready", 30)

    def probe(self, path: str) -> int:
        return self.get(path)[0]

    def get(self, path: str) -> tuple[int, str]:
        try:
            return http_get(f"http://127.0.0.1:{self.port}/{path}")
        except OSError as error:
            return 0, str(error)

    def kill(self) -> None:
        """End it without a chance to tidy up."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGKILL)
            self.process.wait(timeout=20)
            self.process = None

    def terminate(self) -> int:
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(timeout=10)
        self.process = None
        return code


@pytest.fixture(scope="session")
def shared_operator(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """One operator for all tests that do not end it."""
    log = tmp_path_factory.mktemp("operator") / "log"
    operator = OperatorProcess(plane, free_port(), log)
    operator.start()
    yield operator
    operator.kill()


@pytest.fixture
def own_operator(plane: ControlPlane, namespace: str, tmp_path: Path) -> Iterator[OperatorProcess]:
    """An operator of the test's own, for its namespace, not started yet."""
    operator = OperatorProcess(plane, free_port(), tmp_path / "log", {"SQLFLOW_NAMESPACES": namespace})
    yield operator
    operator.kill()


_NUMBERS = itertools.count(1)


def new_namespace(kube: KubeClient, prefix: str) -> str:
    name = f"{prefix}-{next(_NUMBERS)}"
    kube.create(NAMESPACES, "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name


@dataclass
class Place:
    """One namespace, seen with the administrator's eyes, and the cluster that plays along in it."""

    kube: KubeClient
    namespace: str

    def __post_init__(self) -> None:
        self.controller = JobController(self.kube, self.namespace, lambda: datetime.now(UTC))

    def apply(self, name: str = "iris", **spec: Any) -> Object:
        return self.kube.create(SQLFLOWJOBS, self.namespace, job_manifest(name, **spec))

    def edit(self, name: str, **spec: Any) -> Object:
        return self.kube.patch(SQLFLOWJOBS, self.namespace, name, {"spec": spec})

    def job(self, name: str = "iris") -> Object:
        return self.kube.get(SQLFLOWJOBS, self.namespace, name)

    def status(self, name: str = "iris") -> Object:
        return self.job(name).get("status") or {}

    def phase(self, name: str = "iris") -> str:
        return str(self.status(name).get("phase", ""))

    def condition(self, kind: str, name: str = "iris") -> Object:
        return next((c for c in self.status(name).get("conditions") or () if c["type"] == kind), {})

    def message(self, name: str = "iris") -> str:
        """The state in all its words."""
        return str(self.condition("Ready", name).get("message", ""))

    def children(self) -> list[Object]:
        return self.kube.list(JOBS, self.namespace)

    def config_maps(self) -> list[Object]:
        return self.kube.list(CONFIG_MAPS, self.namespace, labels="sqlflow.org/run")

    def events(self) -> list[Object]:
        return self.kube.list(EVENTS, self.namespace)

    def wait_for(
        self, condition: Callable[[], object], what: str, seconds: float = 20, name: str = "iris", every: float = 0.05
    ) -> None:
        """Wait for a condition; the failure shows the status of that job."""
        wait_for(condition, what, seconds, every=every, ignoring=(NotFoundError,), seen=lambda: self.status(name))

    def wait_phase(self, phase: str, name: str = "iris", seconds: float = 20) -> Object:
        self.wait_for(lambda: self.phase(name) == phase, f"{name} is {phase}", seconds, name)
        return self.status(name)

    def play_for(
        self, condition: Callable[[], object], what: str, seconds: float = 40, name: str = "iris", every: float = 0.3
    ) -> None:
        """Let the cluster move on, about as fast as a real one, until a condition holds."""

        def reached() -> object:
            self.controller.tick()
            return condition()

        self.wait_for(reached, what, seconds, name, every)

    def play_until(self, phase: str, name: str = "iris", seconds: float = 40) -> Object:
        """Let the cluster move on until the job has that phase."""
        self.play_for(lambda: self.phase(name) == phase, f"{name} is {phase}", seconds, name)
        return self.status(name)

    def look_again(self, name: str = "iris") -> Object:
        """Have the operator look at a job once more, by an edit that means nothing to it; the job when it was edited.

        Returns once the operator has looked.
        """
        edit = {"metadata": {"labels": {"edited": f"again-{next(_NUMBERS)}"}}}
        edited = self.kube.patch(SQLFLOWJOBS, self.namespace, name, edit)
        settle(self.kube)
        return edited


@pytest.fixture
def namespace(kube: KubeClient) -> str:
    return new_namespace(kube, "test")


@pytest.fixture
def place(kube: KubeClient, namespace: str) -> Place:
    return Place(kube, namespace)


def settle(kube: KubeClient) -> None:
    """Return once an operator of all namespaces has handled what happened before: a later run has reached its end.

    Events of one kind come in order, so those of a run that starts now come after all that were there before.
    """
    place = Place(kube, new_namespace(kube, "later"))
    place.apply("later", program="SELECT 1;")
    place.play_until("Succeeded", "later")
