"""kubectl, as a person would use it, for the tests on a real cluster."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from devcluster.stack import Stack, StackError, ensure_stack

from tests.support.waiting import wait_for

GROUP = "sqlflow.org"
SYSTEM = "sqlflow-system"
OPERATOR = "deployment/sqlflow-operator"

Object = dict[str, Any]


@dataclass(frozen=True)
class Kube:
    """kubectl against one cluster and one namespace."""

    kubectl: str
    kubeconfig: Path
    namespace: str

    def run(self, *args: str, text: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [self.kubectl, "--kubeconfig", str(self.kubeconfig), "-n", self.namespace, *args]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=110)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done

    def apply(self, *objects: Object) -> None:
        self.run("apply", "-f", "-", text=yaml.safe_dump_all(objects, allow_unicode=True))

    def get(self, kind: str, name: str) -> Object:
        return json.loads(self.run("get", kind, name, "-o", "json").stdout)

    def find(self, kind: str, selector: str = "") -> list[Object]:
        args = ["get", kind, "-o", "json"] + (["-l", selector] if selector else [])
        return json.loads(self.run(*args).stdout)["items"]

    def job(self, name: str) -> Object:
        return self.get("sqlflowjob", name)

    def children(self, job: Object, kind: str = "job") -> list[Object]:
        """Objects that belong to that SQLFlowJob, by owner UID as the garbage collector sees it."""
        uid = job["metadata"]["uid"]
        return [o for o in self.find(kind) if any(r["uid"] == uid for r in o["metadata"].get("ownerReferences", []))]

    def pods(self, job: Object) -> list[Object]:
        return self.find("pods", f"{GROUP}/job-uid={job['metadata']['uid']}")

    def wait(self, what: Callable[[], Any], why: str, seconds: float = 90, every: float = 0.2) -> Any:
        """The first true value of a condition."""
        return wait_for(what, why, seconds, every=every)

    def wait_phase(self, name: str, *phases: str, seconds: float = 90) -> Object:
        """Wait for one of those phases; a different final phase fails at once."""
        final = {"Succeeded", "Failed", "Invalid", "Stalled"} - set(phases)

        def reached() -> Object | None:
            job = self.job(name)
            phase = job.get("status", {}).get("phase")
            assert phase not in final, f"{name} is {phase}: {json.dumps(job['status'], indent=1)}"
            return job if phase in phases else None

        return self.wait(reached, f"{name} is {' or '.join(phases)}", seconds)

    def look_again(self, name: str) -> None:
        """Have the operator look at a job once more, by an edit that means nothing to it; returns once it has looked.

        Events come in order, so one of a job that is made now comes after the edit.
        """
        later = f"later-{uuid.uuid4().hex[:8]}"
        self.run("label", "sqlflowjob", name, f"edited={later}", "--overwrite")
        self.apply(sqlflow_job(later, "SELECT 1;", suspend=True))
        self.wait_phase(later, "Suspended")
        self.run("delete", "sqlflowjob", later, "--wait=false")

    def psql(self, query: str) -> list[list[str]]:
        """Rows of a query as the database answers them, by psql in the database's own pod."""
        done = self.run(
            "exec", "-i", "deployment/postgres", "--",
            "psql", "-h", "/tmp", "-U", "sqlflow", "-XqAt", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "sqlflow",
            text=query,
        )  # fmt: skip
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def running(self, statement: str) -> bool:
        """True while the database executes that statement, ours that asks apart."""
        text = statement.replace("'", "''")
        return bool(self.psql(f"SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query = '{text}'"))


def stack_or_skip(namespace: str) -> Stack:
    """The whole system on a real cluster; skips, with the reason, where this machine can have none."""
    try:
        return ensure_stack(namespace)
    except StackError as error:
        pytest.skip(str(error))


def condition(job: Object, kind: str) -> Object:
    """That condition of a SQLFlowJob, {} where it has none."""
    return next((c for c in job.get("status", {}).get("conditions", []) if c["type"] == kind), {})


def whole_message(job: Object) -> str:
    """The state of a SQLFlowJob in all its words; `status.message` is one short line."""
    return str(condition(job, "Ready").get("message", ""))


def sqlflow_job(name: str, program: str, **spec: Any) -> Object:
    """A SQLFlowJob for backend job with the tests' database."""
    source = {"secretRef": {"name": "iris-database", "key": "url"}}
    body = {"backend": "job", "dataSource": source, "program": program, **spec}
    return {"apiVersion": f"{GROUP}/v1alpha1", "kind": "SQLFlowJob", "metadata": {"name": name}, "spec": body}
