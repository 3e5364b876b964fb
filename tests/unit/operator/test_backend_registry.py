"""The registry of backends: everything reads it, and a fourth backend takes its two modules and one line of it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from sqlflow_codegen.backend import RunOptions
from sqlflow_codegen.contract import LABEL_JOB_UID, LABEL_RUN, LABEL_STEP, dump_record
from sqlflow_codegen.language import parse_program
from sqlflow_operator.api import Backend, RunStatus, SQLFlowJobSpec, SQLFlowJobStatus
from sqlflow_operator.backend_registry import definition
from sqlflow_operator.crd import crd
from sqlflow_operator.kube import PODS, Resource
from sqlflow_operator.resync import watched
from sqlflow_operator.workflow import FetchRequest, RunFailedError, available, new
from sqlflow_operator.workflow.backends.detection import Detector

from tests.unit.operator import toy_backend, world
from tests.unit.operator.kubelet import Kubelet, Line, statement
from tests.unit.operator.toy_backend import PLAYBOOKS
from tests.unit.operator.world import World

ROOT = Path(__file__).resolve().parents[3]
MODELS = (SQLFlowJobSpec, RunStatus, SQLFlowJobStatus)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    """The toy as a backend of this operator: what the line `TOY = "toy"` in the registry would do."""
    member = str.__new__(Backend, "toy")
    member._name_, member._value_ = "TOY", "toy"
    monkeypatch.setattr(Backend, "_member_names_", [*Backend._member_names_, "TOY"])
    monkeypatch.setitem(Backend._member_map_, "TOY", member)
    monkeypatch.setitem(Backend._value2member_map_, "toy", member)
    monkeypatch.setitem(sys.modules, "sqlflow_operator.workflow.backends.toy", toy_backend)
    monkeypatch.setattr(toy_backend, "DEFINITION", replace(toy_backend.DEFINITION, name=member))
    for model in MODELS:
        model.model_rebuild(force=True)
    yield member
    monkeypatch.undo()
    for model in MODELS:
        model.model_rebuild(force=True)


@pytest.fixture
def player(toy: Backend, monkeypatch: pytest.MonkeyPatch) -> World:
    """A job on the toy, in a cluster whose pods have logs."""
    monkeypatch.setattr(world, "FakeKube", Kubelet)
    found = World(program="SELECT 1;\nSELECT 2;", backend=toy.value, fusion="Off", ordering="Sequential")
    found.served.add(PLAYBOOKS)
    return found


def play(found: World, step: str, code: int = 0) -> None:
    """Let the engine run the pod of a play, which writes a row."""
    kube = found.kube
    assert isinstance(kube, Kubelet)
    [playbook] = kube.store.list(PLAYBOOKS, "ns")
    own = playbook["metadata"]
    labels = {key: own["labels"][key] for key in (LABEL_RUN, LABEL_JOB_UID)} | {LABEL_STEP: step}
    meta = {"name": f"pod-{step}", "labels": labels, "ownerReferences": [{"uid": own["uid"]}]}
    moments = {"startedAt": "2026-01-01T00:00:01Z", "finishedAt": "2026-01-01T00:00:02Z"}
    state = {"terminated": {"exitCode": code, **moments}}
    status = {"phase": "Failed" if code else "Succeeded", "containerStatuses": [{"name": "play", "state": state}]}
    kube.store.create(PODS, "ns", {"metadata": meta, "spec": {}, "status": status})
    number = int(step[1])
    text = [line | {"n": n} for n, line in enumerate([*statement(number, 6 + number), {"type": "end"}], 1)]
    now = found.clock.now()
    kube.files[f"pod-{step}", "play"] = [Line(now, now, dump_record(line).encode()) for line in text]


def end(found: World, phase: str) -> None:
    [playbook] = found.kube.store.list(PLAYBOOKS, "ns")
    found.kube.store.patch(
        PLAYBOOKS, "ns", playbook["metadata"]["name"], {"status": {"phase": phase}}, subresource="status"
    )


def test_a_fourth_backend_runs_a_job(player: World) -> None:
    """Compiled, submitted, observed and fetched: by the reconcile loop and through the Python interface."""
    player.reconcile()
    [playbook] = player.kube.store.list(PLAYBOOKS, "ns")
    assert [play["args"] for play in playbook["spec"]["plays"]] == [["--statements", "1"], ["--statements", "2"]]
    assert player.status["run"]["backend"] == "toy"
    play(player, "s1-sql")
    player.clock.sleep(2)
    player.reconcile()
    assert [step["phase"] for step in player.status["steps"]] == ["Succeeded", "Pending"]
    play(player, "s2-sql")
    end(player, "Succeeded")
    player.clock.sleep(2)
    player.reconcile()
    assert (player.status["phase"], player.status["progress"]) == ("Succeeded", "2/2")
    _, workflow = new("toy", player.kube)
    request, rows = FetchRequest(f"ns/{playbook['metadata']['name']}"), []
    while not (response := workflow.fetch(request)).eof:
        rows += [row.values for row in response.rows]
        request = response.updated_request_since
    assert [*rows, *(row.values for row in response.rows)] == [(7,), (8,)]


def test_a_fourth_backend_fails_and_is_cancelled(player: World) -> None:
    player.reconcile()
    [playbook] = player.kube.store.list(PLAYBOOKS, "ns")
    run_id = f"ns/{playbook['metadata']['name']}"
    _, workflow = new("toy", player.kube)
    workflow.cancel(run_id)
    assert player.kube.store.list(PLAYBOOKS, "ns")[0]["spec"]["cancelled"]
    play(player, "s1-sql", code=1)
    end(player, "Failed")
    player.clock.sleep(2)
    player.reconcile()
    assert player.status["phase"] == "Failed"
    request = workflow.fetch(FetchRequest(run_id)).updated_request_since
    with pytest.raises(RunFailedError, match="step s1-sql failed"):
        workflow.fetch(request)
    workflow.stop(run_id)
    assert player.kube.store.list(PLAYBOOKS, "ns") == []


def test_a_fourth_backend_through_the_python_interface(toy: Backend, player: World) -> None:
    codegen, workflow = new("toy", player.kube)
    code = codegen.gen_code(parse_program("SELECT 1; SELECT 2"), RunOptions(name="r", namespace="ns", fusion=False))
    assert workflow.submit(codegen.gen_yaml(code)) == "ns/r"
    assert workflow.backend is toy
    assert workflow.fetch(FetchRequest("ns/r")).items == ()


def test_everything_reads_the_registry(toy: Backend) -> None:
    assert available() == ("argo", "tekton", "job", "toy")
    assert crd_backends() == ["argo", "tekton", "job", "toy"]
    assert PLAYBOOKS in watched(Backend)
    detector = Detector(lambda _: False)
    assert detector.missing(toy) == (
        "backend toy needs Toys, and this cluster has no playbooks.toys.example (toys.example/v1): install it, or set "
        "spec.backend to one of: job"
    )
    assert Detector(lambda r: r == PLAYBOOKS).served() == {Backend.JOB, toy}


def test_the_toy_is_gone_again() -> None:
    assert available() == ("argo", "tekton", "job")
    assert crd_backends() == ["argo", "tekton", "job"]


def crd_backends() -> list[str]:
    """The values of spec.backend in the CRD."""
    schema = crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    found: list[str] = schema["properties"]["spec"]["properties"]["backend"]["enum"]
    return found


@pytest.mark.parametrize("backend", list(Backend))
def test_a_definition_has_its_name(backend: Backend) -> None:
    found = definition(backend)
    assert (found.name, found.codegen().backend) == (backend, backend)


def test_the_operators_role_covers_every_backend() -> None:
    role = next(yaml.safe_load_all((ROOT / "manifests" / "base" / "role.yaml").read_text()))
    rights = {
        (group, resource): set(rule["verbs"])
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }

    def of(resource: Resource) -> set[str]:
        group, _, plural = resource.group_version_plural
        return rights[group, plural]

    for backend in Backend:
        found = definition(backend)
        assert of(found.resource) == {"get", "list", "watch", "create", "patch", "delete"}
        assert all({"list", "watch"} <= of(part) <= {"get", "list", "watch"} for part in found.parts)


def test_the_table_of_the_docs_has_every_backend() -> None:
    text = (ROOT / "docs" / "backends.md").read_text()
    header, _, child, *_ = re.findall(r"^\|.*\|$", text, re.MULTILINE)
    assert re.findall(r"`(\w+)`", header) == list(Backend)
    kinds = [f"`{found.kind}` ({found.resource.api.removeprefix('apis/')})" for found in map(definition, Backend)]
    assert [cell.strip() for cell in child.strip("|").split("|")[1:]] == kinds
    needs = next(line for line in text.splitlines() if line.startswith("| needs |"))
    for found, cell in zip(map(definition, Backend), needs.strip("|").split("|")[1:], strict=True):
        assert ("nothing" in cell) if found.built_in else (found.title in cell)


def test_a_generator_is_imported_on_first_use_and_the_client_not_at_all() -> None:
    late = ["kubernetes", "kopf", "couler", "sqlflow_codegen.couler", "sqlflow_codegen.fluid"]
    use = "import sys; from sqlflow_operator.workflow import new; new('job', object());"
    code = f"{use} print([module for module in {late} if module in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
