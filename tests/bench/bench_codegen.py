"""How long a program takes from its text to YAML, as ratios against what it is compared with, in the same run.

Run it with `make bench`, or `python tests/bench/bench_codegen.py`. Nothing is asserted: clocks differ, ratios are for
people.

- small: five statements, against a fresh interpreter that runs the same Couler program (target: 10 times faster);
- large: a hundred statements, against Hera building and dumping the same DAG (target: at most 3 times as long).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from sqlflow_codegen.backend import Codegen, RunOptions
from sqlflow_codegen.couler import CoulerCodegen
from sqlflow_codegen.fluid import FluidCodegen
from sqlflow_codegen.language import parse_program

OPTIONS = RunOptions(retries=2, active_deadline_seconds=3600, resources={"requests": {"cpu": "1", "memory": "1Gi"}})


def program(statements: int) -> str:
    """Statements that all become steps of their own: plain SQL and model statements in turn."""
    pieces = []
    for n in range(1, statements + 1):
        if n % 2:
            pieces.append(f"CREATE TABLE t{n} AS SELECT a, b, label FROM source WHERE a > {n}")
        else:
            pieces.append(f"SELECT a, b, label FROM t{n - 1} TO TRAIN xgboost.gbtree LABEL label INTO model_{n}")
    return ";\n".join(pieces) + ";\n"


def compile_program(codegen: Codegen, text: str) -> str:
    """As the operator does: text to statements to program to YAML."""
    return codegen.gen_yaml(codegen.gen_code(parse_program(text), OPTIONS))


def seconds(action: Callable[[], object], rounds: int) -> float:
    """The best time of an action, after one run that warms up what stays warm; what else the machine does only adds."""
    action()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def fresh_interpreter(code: str) -> Callable[[], object]:
    """Running that program as a user would."""
    path = Path(tempfile.mkdtemp()) / "program.py"
    path.write_text(code, encoding="utf-8")
    return lambda: subprocess.run([sys.executable, str(path)], check=True, capture_output=True)


def hera_workflow(workflow: dict[str, Any]) -> Callable[[], object] | None:
    """Hera building and dumping the same DAG: the same templates, fields and dependencies."""
    try:
        from hera.workflows import DAG, Container, Resources, Task, Workflow
        from hera.workflows.models import EnvVar, RetryStrategy, SecurityContext, Volume, VolumeMount
    except ImportError:
        return None
    spec = workflow["spec"]
    dag, *templates = spec["templates"]

    def build() -> str:
        with Workflow(
            name=workflow["metadata"]["name"],
            entrypoint="program",
            labels=workflow["metadata"]["labels"],
            active_deadline_seconds=spec["activeDeadlineSeconds"],
            volumes=[Volume.model_validate(v) for v in spec["volumes"]],
        ) as made:
            containers = {}
            for template in templates:
                c = template["container"]
                containers[template["name"]] = Container(
                    name=template["name"],
                    image=c["image"],
                    command=c["command"],
                    args=c["args"],
                    env=[EnvVar.model_validate(e) for e in c["env"]],
                    volume_mounts=[VolumeMount.model_validate(m) for m in c["volumeMounts"]],
                    security_context=SecurityContext.model_validate(c["securityContext"]),
                    resources=Resources(cpu_request=c["resources"]["requests"]["cpu"], memory_request="1Gi"),
                    retry_strategy=RetryStrategy.model_validate(template["retryStrategy"]),
                    labels=template["metadata"]["labels"],
                )
            with DAG(name="program"):
                for task in dag["dag"]["tasks"]:
                    Task(name=task["name"], template=containers[task["template"]], depends=task.get("depends"))
        text = made.to_yaml()
        assert isinstance(text, str)
        return text

    return build


def report(name: str, ours: float, theirs: float, *, against: str, target: str, ratio: float) -> None:
    """One line."""
    print(f"{name:34} {ours * 1e3:8.1f} ms   {against} {theirs * 1e3:8.1f} ms   {ratio:5.2f}x   target {target}")


def main() -> None:
    """Print the ratios."""
    couler = CoulerCodegen()
    small, large = program(5), program(100)
    ours = seconds(lambda: compile_program(couler, small), rounds=20)
    fresh = seconds(fresh_interpreter(couler.gen_code(parse_program(small), OPTIONS)), rounds=5)
    report("argo, 5 statements, compile", ours, fresh, against="fresh interpreter", target=">= 10x", ratio=fresh / ours)
    ours = seconds(lambda: compile_program(FluidCodegen(), small), rounds=20)
    report(
        "tekton, 5 statements, compile", ours, fresh, against="fresh interpreter", target=">= 10x", ratio=fresh / ours
    )

    ours = seconds(lambda: compile_program(couler, large), rounds=5)
    _, workflow = yaml.safe_load_all(compile_program(couler, large))
    hera = hera_workflow(workflow)
    if hera is None:
        print(f"argo, 100 statements, compile: {ours * 1e3:.1f} ms; Hera is not installed (pip install .[bench])")
        return
    theirs = seconds(hera, rounds=5)
    report("argo, 100 statements, compile", ours, theirs, against="Hera", target="<= 3x", ratio=ours / theirs)
    ours = seconds(lambda: compile_program(FluidCodegen(), large), rounds=5)
    report("tekton, 100 statements, compile", ours, theirs, against="Hera", target="<= 3x", ratio=ours / theirs)


if __name__ == "__main__":
    main()
