"""The API models, the CRD and the reference page agree; the frozen names stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlflow_codegen.language import DIALECTS
from sqlflow_operator import crd
from sqlflow_operator.api import Backend, Dialect, SQLFlowJob, SQLFlowJobSpec, SQLFlowJobStatus
from sqlflow_operator.workflow import BackendUnavailableError, available, new
from sqlflow_operator.workflow.observe.state import Reason

from tests.unit.operator.world import job_manifest

ROOT = Path(__file__).resolve().parents[3]


def schema() -> dict[str, Any]:
    found = yaml.safe_load((ROOT / crd.CRD_PATH).read_text())
    part: dict[str, Any] = found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    return part


def test_files_agree_with_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert crd.main(["--check"]) == 0


def test_check_notices_a_difference(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert crd.main([]) == 0
    assert crd.main(["--check"]) == 0
    crd.CRD_PATH.write_text(crd.CRD_PATH.read_text().replace("sfj", "sf"))
    assert crd.main(["--check"]) == 1
    assert "crds/sqlflowjobs.yaml differs" in capsys.readouterr().err


def nodes(node: Any, path: str = "") -> Any:
    yield path, node
    for name, inner in (node.get("properties") or {}).items():
        yield from nodes(inner, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            yield from nodes(node[key], f"{path}[]")


@pytest.mark.parametrize("part", ["spec", "status"])
def test_schema_is_structural_strict_and_described(part: str) -> None:
    for path, node in nodes(schema()[part]):
        assert "$ref" not in node
        assert "nullable" not in node
        assert node.get("x-kubernetes-preserve-unknown-fields") is None, path
        assert "type" in node or node.get("x-kubernetes-int-or-string"), path
        for name, inner in (node.get("properties") or {}).items():
            assert inner.get("description"), f"{path}.{name}"


def test_defaults_are_scalars_and_never_within_lists() -> None:
    for path, node in nodes(schema()["spec"]):
        if "default" in node:
            assert not isinstance(node["default"], dict | list)
            assert "[]" not in path
    assert schema()["status"]["default"] == {"observedGeneration": -1}


def test_crd_can_be_applied_by_the_client() -> None:
    assert (ROOT / crd.CRD_PATH).stat().st_size < 100_000


def test_fields_are_frozen() -> None:
    """Scripts and GitOps tools read these names: adding is fine, renaming is a new API version."""
    assert set(schema()["status"]["properties"]) >= {
        "observedGeneration", "conditions", "phase", "message", "progress", "completedSteps", "totalSteps",
        "run", "steps", "metrics", "models", "diagnostics", "history",
    }  # fmt: skip
    assert set(schema()["spec"]["properties"]) >= {
        "program", "dialect", "backend", "dataSource", "image", "imagePullPolicy", "serviceAccountName", "resources",
        "env", "nodeSelector", "tolerations", "affinity", "imagePullSecrets", "retries", "activeDeadlineSeconds",
        "ttlSecondsAfterFinished", "suspend", "previewRows", "rerunToken",
    }  # fmt: skip
    assert set(schema()["status"]["properties"]["steps"]["items"]["properties"]) >= {
        "name", "kind", "statements", "phase", "attempts", "startedAt", "finishedAt", "exitCode", "pod",
        "message", "log",
    }  # fmt: skip


def test_dialects_are_those_of_the_language() -> None:
    assert {dialect.value for dialect in Dialect} == set(DIALECTS)


def test_reasons_are_words_for_programs() -> None:
    for reason in Reason:
        assert reason.isalpha()
        assert reason[0].isupper()


def test_changing_defaults_that_are_not_set_changes_no_run() -> None:
    bare = SQLFlowJobSpec.model_validate(job_manifest()["spec"])
    defaulted = SQLFlowJobSpec.model_validate(
        job_manifest(dialect="postgres", retries=0, previewRows=100, suspend=False)["spec"]
        | {"dataSource": {"secretRef": {"name": "db", "key": "url"}}}
    )
    assert bare.run_fields() == defaulted.run_fields()
    assert set(bare.run_fields()) == {"program", "dataSource"}


def test_a_status_that_somebody_else_wrote_is_read_as_empty() -> None:
    raw = job_manifest() | {"status": {"steps": "many"}}
    raw["metadata"] |= {"namespace": "ns", "uid": "u", "resourceVersion": "1"}
    job = SQLFlowJob.parse(raw)
    assert job.status == SQLFlowJobStatus()
    assert job.raw_status == {"steps": "many"}


def test_newer_fields_are_ignored() -> None:
    spec = SQLFlowJobSpec.model_validate(job_manifest(fromTheFuture={"a": 1})["spec"])
    assert "fromTheFuture" not in spec.run_fields()


@pytest.mark.parametrize("backend", list(Backend))
def test_backends(backend: Backend) -> None:
    assert backend in available()
    codegen, workflow = new(backend, kube=object())  # type: ignore[arg-type]
    assert (codegen.backend, workflow.backend) == (backend, backend)


def test_a_backend_that_there_is_not() -> None:
    with pytest.raises(
        BackendUnavailableError, match="airflow is not available in this version; it has: argo, tekton, job"
    ):
        new("airflow", kube=object())  # type: ignore[arg-type]
