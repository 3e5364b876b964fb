"""What the operator costs on a cluster: a job against the same child applied by hand, and fusion against none.

Run it with `make bench`, or `python tests/bench/bench_cluster.py [ROUNDS]`, while this checkout's cluster is up. The
backends are those that the cluster serves. Nothing is asserted: clocks differ, ratios are for people.

- job: from `kubectl apply` to the first pod, and to the end, as a SQLFlowJob and as the very same ConfigMap and
  Workflow, PipelineRun or Job applied by hand, in turns (target: at most 1.05 times as long);
- fusion: ten statements as the operator groups them against one pod for each (target: at least 3 times faster).
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import kubernetes
import yaml
from devcluster.cluster import Cluster
from devcluster.stack import STEP_IMAGE, Stack, default_context, ensure_stack
from sqlflow_codegen.backend import Codegen, RunOptions
from sqlflow_codegen.contract import LABEL_RUN
from sqlflow_codegen.language import parse_program
from sqlflow_operator.api import GROUP, KIND, VERSION, Backend
from sqlflow_operator.kube import CONFIG_MAPS, PODS, SQLFLOWJOBS, NotFoundError, Object
from sqlflow_operator.kube.client import KubeClient
from sqlflow_operator.workflow import Workflow, new
from sqlflow_operator.workflow.backends.detection import Detector

NAMESPACE = "sqlflow-bench"
STEPS_ROLE = "sqlflow-argo-steps"
SECRET = {"name": "iris-database", "key": "url"}
ROUNDS = 5
LIMIT_SECONDS = 300
PROGRAM = """\
CREATE TABLE {t}_a AS SELECT 1 AS x;
SELECT * FROM iris.train TO TRAIN xgboost.gbtree WITH objective="multi:softmax", num_class=3 LABEL class INTO m_{t};
SELECT * FROM iris.test TO PREDICT {t}_p.class USING m_{t};
DROP TABLE {t}_a;
DROP TABLE {t}_p;
"""


@dataclass(frozen=True)
class Times:
    """Seconds from `kubectl apply`."""

    first_pod: float
    end: float


def measure(stack: Stack, kube: KubeClient, manifest: str, name: str, ended: Callable[[], bool]) -> Times:
    """`kubectl apply` a manifest, as a person would, and watch what comes of it to its end."""
    started = time.monotonic()
    kubectl = subprocess.Popen(stack.command("apply", "-f", "-"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert kubectl.stdin is not None
    kubectl.stdin.write(manifest.encode())
    kubectl.stdin.close()
    first = 0.0
    while time.monotonic() - started < LIMIT_SECONDS:
        if not first and any(_run(pod).startswith(name) for pod in kube.list(PODS, NAMESPACE, metadata_only=True)):
            first = time.monotonic() - started
        with contextlib.suppress(NotFoundError):
            if ended():
                kubectl.wait()
                return Times(first, time.monotonic() - started)
        time.sleep(0.02)
    raise SystemExit(f"{name} has no end after {LIMIT_SECONDS} s")


def _run(pod: Object) -> str:
    return str((pod["metadata"].get("labels") or {}).get(LABEL_RUN, ""))


def as_job(stack: Stack, kube: KubeClient, backend: Backend, program: str, **spec: Any) -> Times:
    """A SQLFlowJob, until its status tells the end."""
    name = f"b-{uuid.uuid4().hex[:8]}"
    body = {"program": program, "backend": backend.value, "dataSource": {"secretRef": SECRET}, **spec}
    manifest = {"apiVersion": f"{GROUP}/{VERSION}", "kind": KIND, "metadata": {"name": name}, "spec": body}

    def ended() -> bool:
        status = kube.get(SQLFLOWJOBS, NAMESPACE, name).get("status") or {}
        if status.get("phase") == "Failed":
            raise SystemExit(f"{name} failed: {status['message']}")
        return bool(status.get("phase") == "Succeeded")

    times = measure(stack, kube, yaml.safe_dump(manifest), name, ended)
    kube.delete(SQLFLOWJOBS, NAMESPACE, name)
    return times


def by_hand(stack: Stack, kube: KubeClient, codegen: Codegen, workflow: Workflow, program: str) -> Times:
    """The same ConfigMap and child, applied directly, until the engine itself tells the end."""
    name = f"h-{uuid.uuid4().hex[:8]}"
    options = RunOptions(
        name=name,
        namespace=NAMESPACE,
        secret_name=SECRET["name"],
        secret_key=SECRET["key"],
        image=STEP_IMAGE,
        image_pull_policy="IfNotPresent",
    )
    text = codegen.gen_yaml(codegen.gen_code(parse_program(program), options))
    times = measure(
        stack,
        kube,
        text,
        name,
        lambda: workflow.definition.ended(kube.get(workflow.definition.resource, NAMESPACE, name)),
    )
    kube.delete(workflow.definition.resource, NAMESPACE, name)
    kube.delete(CONFIG_MAPS, NAMESPACE, name)
    return times


def program() -> str:
    """A small pipeline under names of its own."""
    return PROGRAM.format(t=f"t_{uuid.uuid4().hex[:8]}")


def compare(stack: Stack, kube: KubeClient, backend: Backend, rounds: int) -> None:
    """Print one line: a job against the same by hand."""
    codegen, workflow = new(backend, kube)
    jobs, hands = [], []
    for _ in range(rounds):
        jobs.append(as_job(stack, kube, backend, program()))
        hands.append(by_hand(stack, kube, codegen, workflow, program()))
    line = [f"  {backend:<8}"]
    for what in ("first_pod", "end"):
        job = statistics.median(getattr(times, what) for times in jobs)
        hand = statistics.median(getattr(times, what) for times in hands)
        line.append(f"{job:9.2f} {hand:9.2f} {job / hand:7.2f}")
    print("".join(line), flush=True)


def fusion(stack: Stack, kube: KubeClient, backend: Backend) -> None:
    """Print one line: ten statements in the operator's steps against one pod for each."""
    table = f"f_{uuid.uuid4().hex[:8]}"
    inserts = "".join(f"INSERT INTO {table} SELECT max(x) + 1 FROM {table};\n" for _ in range(8))
    text = f"CREATE TABLE {table} AS SELECT 1 AS x;\n{inserts}DROP TABLE {table};\n"
    fused, single = as_job(stack, kube, backend, text).end, as_job(stack, kube, backend, text, fusion="Off").end
    print(f"  {backend:<8}{fused:9.2f} {single:9.2f} {single / fused:7.1f}", flush=True)


def prepare() -> tuple[Stack, KubeClient] | str:
    """The stack on this checkout's cluster, or why there is none to measure on."""
    context = default_context()
    if not Cluster.open(context).is_healthy():
        return "there is no cluster: make cluster-up"
    stack = ensure_stack(NAMESPACE, context)
    account = f"--serviceaccount={NAMESPACE}:default"
    stack.run("create", "rolebinding", STEPS_ROLE, f"--clusterrole={STEPS_ROLE}", account)
    configuration = kubernetes.client.Configuration()
    kubernetes.config.load_kube_config(str(stack.kubeconfig), client_configuration=configuration)  # type: ignore[no-untyped-call]
    return stack, KubeClient(configuration)


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    prepared = prepare()
    if isinstance(prepared, str):
        print(f"\non a cluster: skipped, {prepared}")
        return
    stack, kube = prepared
    served = sorted(Detector(kube.serves).served())
    print(f"\na job against the same child applied by hand, seconds, medians of {rounds} in turns")
    print("  backend   to first pod  by hand   ratio    to the end by hand   ratio")
    for backend in served:
        compare(stack, kube, backend, rounds)
    engines = [backend for backend in served if backend is not Backend.JOB]
    if not engines:
        print("\nfusion: skipped, the cluster has neither Argo Workflows nor Tekton; a plain Job is one pod either way")
        return
    print("\nten statements, seconds to the end")
    print("  backend     fused  one pod each  ratio")
    for backend in engines:
        fusion(stack, kube, backend)


if __name__ == "__main__":
    main()
