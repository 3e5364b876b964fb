"""A job, an API server in memory, a cluster that plays along, and the reconcile loop, with a clock by hand."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from sqlflow_codegen.contract import LABEL_JOB_UID
from sqlflow_codegen.job import JobCodegen
from sqlflow_operator.api import GROUP, KIND, VERSION, Backend
from sqlflow_operator.kube import EVENTS, JOBS, PODS, SQLFLOWJOBS, ApiError, Object, Resource
from sqlflow_operator.kube.watch_cache import WatchCache
from sqlflow_operator.parsing import parse
from sqlflow_operator.reconcile import Defaults, Reconciler
from sqlflow_operator.reconcile.program_cache import ProgramCache
from sqlflow_operator.resync import watched
from sqlflow_operator.workflow import available, new
from sqlflow_operator.workflow.backends.detection import Detector

from tests.unit.operator.fakes import Clock, FakeKube
from tests.unit.operator.jobcontroller import JobController

PROGRAM = "SELECT 1;\nSELECT * FROM t\nTO TRAIN xgboost.gbtree\nLABEL class\nINTO m;\nSELECT 2;"


class QuickCodegen(JobCodegen):
    """The real generator; the program runs in this process instead of in the sandbox, to save the time."""

    def gen_yaml(self, code: str) -> str:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, "program", "exec"), {"__name__": "__main__"})
        return out.getvalue()


def job_manifest(name: str = "iris", **spec: Any) -> Object:
    body = {"program": PROGRAM, "dataSource": {"secretRef": {"name": "db"}}, **spec}
    return {"apiVersion": f"{GROUP}/{VERSION}", "kind": KIND, "metadata": {"name": name}, "spec": body}


class World:
    """All of it for one job."""

    namespace = "ns"

    def __init__(self, name: str = "iris", **spec: Any) -> None:
        self.name = name
        self.clock = Clock()
        self.kube = FakeKube(self.clock)
        self.controller = JobController(self.kube.store, self.namespace, self.clock.now)
        self.kube.store.create(SQLFLOWJOBS, self.namespace, job_manifest(name, **spec))
        self.default: Backend | None = Backend.JOB
        """The operator's default backend."""
        self.served: set[Resource] = set()
        """Kinds of engines that the cluster has."""
        self.defaults = Defaults("step:1")
        self.restart()

    def restart(self) -> None:
        """A new operator that knows nothing."""
        self.cache = WatchCache()
        self.kube.on_object = self.cache.put_answer
        backends = {backend: new(backend, self.kube) for backend in available()}
        backends[Backend.JOB] = (QuickCodegen(), backends[Backend.JOB][1])
        self.reconciler = Reconciler(
            self.kube,
            self.cache,
            backends,
            detector=Detector(lambda r: r in self.served, self.default, clock=self.clock.monotonic),
            defaults=self.defaults,
            programs=ProgramCache(parse),
            now=self.clock.now,
            monotonic=self.clock.monotonic,
        )

    @property
    def writes(self) -> int:
        """How often the status was written."""
        return self.kube.calls.count(("patch", "sqlflowjobs"))

    def watch(self) -> None:
        """Let the watches show everything."""
        for resource in (SQLFLOWJOBS, *watched(Backend)):
            labels = "" if resource == SQLFLOWJOBS else LABEL_JOB_UID
            before = set(self.cache.objects())
            self.cache.replace(resource, self.kube.store.list(resource, None, labels=labels), before)
        for event in self.kube.store.list(EVENTS, None, fields="type=Warning"):
            self.cache.put_warning(event)

    def reconcile(self) -> float | None:
        self.watch()
        return self.reconciler.reconcile((self.namespace, self.name))

    def settle(self, rounds: int = 60) -> None:
        """Let operator and cluster take turns until both have nothing to do; a failed call is tried again later."""
        idle = 0
        for _ in range(rounds):
            version = self.kube.store.version
            failed = False
            try:
                self.reconcile()
            except ApiError:
                failed = True
            self.clock.sleep(1.5)
            self.controller.tick()
            idle = 0 if failed or self.kube.store.version != version else idle + 1
            if idle == 3:
                return

    def advance(self, ticks: int = 1) -> None:
        """So many moves of the cluster, each followed by a look of the operator."""
        for _ in range(ticks):
            self.clock.sleep(1.5)
            self.controller.tick()
            self.reconcile()

    def outlive(self, seconds: float) -> None:
        """Wait as long as the operator asks for, at most that, and let a new operator act."""
        wait = self.reconcile()
        assert wait is not None
        assert 0 < wait <= seconds
        self.clock.sleep(wait)
        self.restart()
        self.reconcile()

    def edit(self, **spec: Any) -> None:
        """Change fields of the job's spec; None removes one."""
        self.kube.store.patch(SQLFLOWJOBS, self.namespace, self.name, {"spec": spec})

    @property
    def job(self) -> Object:
        return self.kube.store.get(SQLFLOWJOBS, self.namespace, self.name)

    @property
    def status(self) -> Object:
        return self.job.get("status") or {}

    @property
    def message(self) -> str:
        """The state in all its words."""
        return str(self.condition("Ready")["message"])

    def children(self) -> list[Object]:
        return self.kube.store.list(JOBS, self.namespace)

    def pods(self) -> list[Object]:
        return self.kube.store.list(PODS, self.namespace)

    def events(self) -> list[Object]:
        return self.kube.store.list(EVENTS, self.namespace)

    def made(self, plural: str) -> int:
        """How many objects of that kind were ever created."""
        return len(self.made_names(plural))

    def made_names(self, plural: str) -> list[str]:
        """The names of all objects of that kind that were ever created."""
        return [name for kind, name in self.kube.store.created if kind == plural]

    def condition(self, kind: str) -> Object:
        return next(c for c in self.status["conditions"] if c["type"] == kind)


def kstatus(job: Object) -> str:
    """What kstatus (Flux, Argo CD's generic check) says of an object: its rules, in its order."""
    metadata, status = job["metadata"], job.get("status") or {}
    if "deletionTimestamp" in metadata:
        return "Terminating"
    if "observedGeneration" in status and status["observedGeneration"] != metadata["generation"]:
        return "InProgress"
    conditions = {c["type"]: c["status"] for c in status.get("conditions") or ()}
    if conditions.get("Reconciling") == "True":
        return "InProgress"
    if conditions.get("Stalled") == "True":
        return "Failed"
    return {"True": "Current", "False": "InProgress", "Unknown": "InProgress"}.get(
        conditions.get("Ready", ""), "Current"
    )
