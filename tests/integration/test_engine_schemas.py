"""Generated manifests against the engines' full CRDs on a real API server: strict, and without a warning."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fluid
import pytest
import yaml
from fluid.__main__ import render
from sqlflow_codegen.backend import RunOptions
from sqlflow_codegen.language import parse_program

from tests.integration.controlplane import ControlPlane, control_plane
from tests.unit.codegen_engines.cases import CODEGENS, FULL, TEXT

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
ENGINES = ROOT.parent / "shared" / "engines"
OPTIONS = {"least": RunOptions(), "full": FULL, "ttl": RunOptions(retries=1, ttl_seconds_after_finished=60)}
PROGRAMS = {"test program": TEXT} | {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "examples").glob("*/program.sql"))
}
ENGINE_FILES = [
    argument
    for folder in ("argo", "tekton")
    for path in sorted((ENGINES / folder / "crds").glob("*.yaml"))
    for argument in ("-f", str(path))
]
"""Arguments of kubectl that name the engines' CRDs."""
FLUID_EXAMPLES = sorted(Path(fluid.__file__).with_name("examples").glob("*.py"))

Object = dict[str, Any]


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """An API server that knows the engines' objects."""
    if not ENGINES.is_dir():
        pytest.skip(f"the engines' CRDs are not beside this checkout ({ENGINES})")
    with control_plane(tmp_path_factory.mktemp("engines")) as plane:
        plane.run("apply", "--server-side", *ENGINE_FILES)
        plane.run("wait", "--for=condition=Established", "--timeout=60s", *ENGINE_FILES)
        plane.run("create", "namespace", "team")
        yield plane


def refusal(engines: ControlPlane, *objects: Object) -> str:
    """What the API server says against the objects, warnings too; empty if nothing."""
    verb = ["create"] if any("generateName" in o["metadata"] for o in objects) else ["apply", "--server-side"]
    if not objects:
        return ""
    text = yaml.safe_dump_all(objects)
    done = engines.run(*verb, "--dry-run=server", "--validate=strict", "-f", "-", stdin=text, check=False)
    assert done.returncode == 0 or done.stderr
    return done.stderr


def parts(child: Object) -> list[Object]:
    """A pipeline's spec is free-form inside a run: the same as objects of their own, whose schema is complete."""
    if child["kind"] != "PipelineRun":
        return []
    spec = copy.deepcopy(child["spec"]["pipelineSpec"])
    made: list[Object] = []
    for task in [*spec["tasks"], *spec.get("finally", [])]:
        embedded = task.get("taskSpec", {})
        embedded.pop("metadata", None)
        made.append(
            {"apiVersion": "tekton.dev/v1", "kind": "Task", "metadata": {"name": task["name"]}, "spec": embedded}
        )
    return [{"apiVersion": "tekton.dev/v1", "kind": "Pipeline", "metadata": {"name": "p"}, "spec": spec}, *made]


def generated(backend: str, text: str, options: RunOptions) -> list[Object]:
    codegen = CODEGENS[backend]
    return list(yaml.safe_load_all(codegen.gen_yaml(codegen.gen_code(parse_program(text), options))))


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("text", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.parametrize("backend", CODEGENS)
def test_generated_manifests_are_accepted(engines: ControlPlane, backend: str, text: str, options: RunOptions) -> None:
    documents = generated(backend, text, options)
    assert [d["kind"] for d in documents] == ["ConfigMap", {"argo": "Workflow", "tekton": "PipelineRun"}[backend]]
    assert refusal(engines, *documents, *parts(documents[1])) == ""


@pytest.mark.parametrize("example", FLUID_EXAMPLES, ids=lambda path: path.stem)
def test_fluid_examples_are_accepted(engines: ControlPlane, example: Path) -> None:
    for document in yaml.safe_load_all(render(example)):
        assert refusal(engines, document) == ""
        assert refusal(engines, *parts(document)) == ""


def test_the_schemas_would_notice(engines: ControlPlane) -> None:
    """Else the tests above would prove nothing."""
    _, workflow = generated("argo", TEXT, FULL)
    workflow["spec"]["templates"][1]["container"]["imagePullpolicy"] = "Always"
    assert ".spec.templates[1].container.imagePullpolicy: field not declared" in refusal(engines, workflow)
    _, run = generated("tekton", TEXT, FULL)
    run["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]["resources"] = {}
    assert ".spec.steps[0].resources: field not declared" in refusal(engines, parts(run)[1])
