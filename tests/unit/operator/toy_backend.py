"""A fourth backend, for the test that it takes no more than this: what its two modules would hold.

Its engine runs a Playbook, a list of plays, one pod after the other. The pod of a play has the play's name in a label.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import yaml
from sqlflow_codegen.backend import RunOptions
from sqlflow_codegen.contract import LABEL_STEP, Flag
from sqlflow_codegen.graph import plan_steps
from sqlflow_codegen.language.ir import Program
from sqlflow_codegen.manifests import metadata
from sqlflow_codegen.ranges import format_ranges
from sqlflow_codegen.sandbox import run_program
from sqlflow_operator.api import Backend, Phase
from sqlflow_operator.kube import Resource
from sqlflow_operator.workflow.backends.definition import BackendDefinition
from sqlflow_operator.workflow.observe.engine_run import EngineRun, observe_dag
from sqlflow_operator.workflow.observe.state import RunObjects, RunState, StepState
from sqlflow_operator.workflow.observe.step_attempts import steps_of_template

PLAYBOOKS = Resource("apis/toys.example/v1", "playbooks")


class ToyCodegen:
    """Code generator of the `toy` backend."""

    backend = "toy"

    def gen_code(self, statements: Program, options: RunOptions | None = None) -> str:
        """A program that prints a ConfigMap and a Playbook."""
        options = options or RunOptions()
        own = metadata(options)
        steps = plan_steps(statements, options.ordering, fusion=options.fusion)
        plays = [{"name": s.name, "args": [Flag.STATEMENTS.value, format_ranges(s.statements)]} for s in steps]
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": own, "data": {"program.sql": statements.text}}
        playbook = {"apiVersion": "toys.example/v1", "kind": "Playbook", "metadata": own, "spec": {"plays": plays}}
        return f"print({yaml.safe_dump_all([config, playbook])!r})\n"

    def gen_yaml(self, code: str) -> str:
        """The YAML that the program prints."""
        return run_program(code)


def planned(child: Mapping[str, Any]) -> tuple[StepState, ...]:
    return steps_of_template(child["spec"]["plays"])


def places(pod: Mapping[str, Any]) -> Mapping[str, str]:
    return {pod["metadata"]["labels"][LABEL_STEP]: "play"}


def observe(objects: RunObjects) -> RunState:
    child = objects.child
    phase = Phase((child.get("status") or {}).get("phase") or Phase.RUNNING)
    run = EngineRun(phase=phase, started_at=child["metadata"]["creationTimestamp"])
    return observe_dag(objects, planned(child), places, run, {})


def ended(child: Mapping[str, Any]) -> bool:
    return Phase((child.get("status") or {}).get("phase") or Phase.RUNNING).terminal


def adjust(_child: Mapping[str, Any], _suspend: bool, _deadline: int | None) -> dict[str, Any] | None:
    return None


DEFINITION = BackendDefinition(
    name=cast("Backend", "toy"),
    title="Toys",
    generator=f"{__name__}:ToyCodegen",
    resource=PLAYBOOKS,
    kind="Playbook",
    deadline_grace=5,
    suspends_running=False,
    planned=planned,
    places=places,
    observe=observe,
    ended=ended,
    adjust=adjust,
    cancellation={"spec": {"cancelled": True}},
)
