"""`make demo`: one SQLFlowJob on a real cluster, watched from `kubectl apply` to its predictions.

BACKEND=argo or BACKEND=tekton runs it on that engine, where the cluster has it or its release can be installed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.syntax import Syntax
from rich.table import Table

from devcluster.engines import ensure_engine
from devcluster.errors import DevClusterError
from devcluster.stack import Stack, ensure_stack

NAMESPACE = "sqlflow-demo"
JOB = "iris"
TIMEOUT_SECONDS = 300

NEXT = """\
What to try next (in this shell: [bold]export KUBECONFIG={kubeconfig}[/bold])
  kubectl -n {namespace} describe sfj {job}                    every step, metric and event
  {log}     what a step wrote
  kubectl -n {namespace} apply -f examples/01-iris/bad/syntax-error.yaml
  kubectl -n {namespace} get sfj                               how errors look
  make cluster-down                                        remove it all"""


def main() -> int:
    """Run the demo; returns the exit code."""
    console = Console(highlight=False)
    started = time.monotonic()
    try:
        backend = os.environ.get("BACKEND") or "job"
        stack = ensure_stack(NAMESPACE)
        ensure_engine(stack, backend)
        apply_job(stack, console, backend)
        job = watch(stack, console)
        show_results(stack, console, job)
    except DevClusterError as error:
        if tail := error.tail():
            console.print(tail, markup=False, soft_wrap=True)
        console.print("[bold red]Error[/bold red]", escape(error.line()), soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130
    phase = job["status"]["phase"]
    colour = "green" if phase == "Succeeded" else "red"
    console.print(f"\n[bold {colour}]{phase}[/bold {colour}] after {time.monotonic() - started:.0f} s in all\n")
    log = next((step["log"] for step in job["status"].get("steps", ()) if "log" in step), "kubectl logs POD")
    console.print(NEXT.format(kubeconfig=stack.kubeconfig, namespace=NAMESPACE, job=JOB, log=log), soft_wrap=True)
    return 0 if phase == "Succeeded" else 1


def apply_job(stack: Stack, console: Console, backend: str) -> None:
    """Show the manifest and apply it, afresh: an unchanged job would rightly not run again."""
    path = stack.context.layout.checkout / "examples" / "01-iris" / "job.yaml"
    manifest = path.read_text(encoding="utf-8")
    title = "kubectl apply -f examples/01-iris/job.yaml"
    if backend != "job":
        manifest = manifest.replace("  backend: job\n", f"  backend: {backend}\n")
        title = f"{title}, with spec.backend: {backend}"
    stack.do("Remove the last demo's job", "delete", "sqlflowjob", JOB, "--ignore-not-found", "--wait")
    console.rule(title, align="left")
    console.print(Syntax(manifest, "yaml", background_color="default", word_wrap=True))
    stack.do("Apply the job", "apply", "--filename", "-", stdin=manifest)


def watch(stack: Stack, console: Console) -> dict[str, Any]:
    """Let kubectl show the job live until it has its outcome; returns the job.

    Raises:
        DevClusterError: no outcome within the time.
    """
    console.rule(f"kubectl -n {NAMESPACE} get sqlflowjob {JOB} -w", align="left")
    sys.stdout.flush()
    shown = subprocess.Popen(stack.command("get", "sqlflowjob", JOB, "--watch"))
    try:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            job: dict[str, Any] = json.loads(stack.run("get", "sqlflowjob", JOB, "--output=json").out or "{}")
            if finished(job):
                time.sleep(0.5)  # let kubectl show the last line
                return job
            time.sleep(0.5)
    finally:
        shown.terminate()
        shown.wait()
    raise DevClusterError(
        f"The job has no outcome after {TIMEOUT_SECONDS} s",
        todo=f"Look at it: KUBECONFIG={stack.kubeconfig} kubectl -n {NAMESPACE} describe sqlflowjob {JOB}",
    )


def finished(job: dict[str, Any]) -> bool:
    """True if a SQLFlowJob has its outcome."""
    conditions = job.get("status", {}).get("conditions", [])
    return any(c["type"] in ("Complete", "Failed", "Stalled") and c["status"] == "True" for c in conditions)


def show_results(stack: Stack, console: Console, job: dict[str, Any]) -> None:
    """The predictions as the database has them, the metrics as the status has them."""
    status = job["status"]
    if status.get("phase") != "Succeeded":
        return
    query = "SELECT * FROM iris.predictions ORDER BY sepal_width, petal_length, sepal_length LIMIT 10"
    console.rule("SELECT * FROM iris.predictions ... LIMIT 10", align="left")
    console.print(stack.psql(query), markup=False)
    table = Table(
        "model", "metric", "value", title="What TO EVALUATE measured on the held-out rows", title_justify="left"
    )
    for metric in status.get("metrics", []):
        table.add_row(metric["model"], metric["name"], metric["value"])
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
