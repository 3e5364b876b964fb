"""The CRD on a real API server: what it refuses and in which words, what kubectl shows and explains."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlflow_operator.kube import SQLFLOWJOBS, InvalidError
from sqlflow_operator.kube.client import KubeClient

from tests.integration.conftest import Place
from tests.integration.controlplane import ControlPlane
from tests.unit.operator.world import job_manifest

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"program": " \n\t"}, "the program is blank: write at least one SQL statement"),
        ({"program": ""}, "the program is blank: write at least one SQL statement"),
        ({"program": "x" * 524289}, "may not be more than 524288"),
        ({"dataSource": None}, "spec.dataSource: Required value"),
        ({"dataSource": {"secretRef": {"name": "No Name"}}}, "must be the name of a Kubernetes object"),
        ({"dataSource": {"secretRef": {"name": "a", "key": "a b"}}}, "must be a key"),
        ({"dialect": "oracle"}, 'supported values: "postgres"'),
        ({"backend": "airflow"}, 'supported values: "argo", "tekton", "job"'),
        ({"image": "a b"}, "must be an image's name, without blanks"),
        ({"imagePullPolicy": "Sometimes"}, "spec.imagePullPolicy: Unsupported value"),
        ({"env": [{"name": "SQLFLOW_RUN", "value": "x"}]}, "reserved for the operator"),
        ({"env": [{"name": "A"}, {"name": "A"}]}, "Duplicate value"),
        ({"env": [{"name": "1A"}]}, "must be a variable's name"),
        ({"env": [{"name": "A", "value": "1", "valueFrom": {"fieldRef": {"fieldPath": "a"}}}]}, "value or valueFrom"),
        ({"env": [{"name": "A", "valueFrom": {}}]}, "give exactly one of secretKeyRef"),
        ({"resources": {"limits": {"memory": "lots"}}}, "spec.resources.limits.memory"),
        ({"tolerations": [{"operator": "Exists", "value": "x"}]}, "takes no value"),
        ({"retries": -1}, "greater than or equal to 0"),
        ({"retries": 11}, "less than or equal to 10"),
        ({"activeDeadlineSeconds": 0}, "greater than or equal to 1"),
        ({"ttlSecondsAfterFinished": -1}, "greater than or equal to 0"),
        ({"previewRows": 10001}, "less than or equal to 10000"),
        ({"rerunToken": "x" * 254}, "may not be more than 253"),
        ({"suspend": "yes"}, "must be of type boolean"),
        ({"affinity": {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 0}]}}}, "weight"),
    ],
)
def test_refused_in_plain_words(place: Place, spec: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidError) as error:
        place.apply(**spec)
    assert message in error.value.message


def test_kubectl_refuses_unknown_fields(plane: ControlPlane, namespace: str) -> None:
    manifest = job_manifest(resorces={"limits": {}}, affinity={"nodeAfinity": {}})
    done = plane.run("apply", "-n", namespace, "-f", "-", stdin=yaml.safe_dump(manifest), check=False)
    assert done.returncode != 0
    assert 'unknown field "spec.resorces"' in done.stderr
    assert 'unknown field "spec.affinity.nodeAfinity"' in done.stderr


def test_every_field_is_accepted_and_kept(plane: ControlPlane, place: Place) -> None:
    term = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}
    pods = {"labelSelector": {"matchLabels": {"a": "b"}}, "topologyKey": "kubernetes.io/hostname"}
    spec = {
        "dialect": "mysql",
        "backend": "job",
        "image": "example.org/step:1",
        "imagePullPolicy": "Always",
        "serviceAccountName": "steps",
        "resources": {"limits": {"memory": "1Gi", "cpu": 2}, "requests": {"cpu": "500m"}},
        "env": [
            {"name": "A", "value": "1"},
            {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}}},
            {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "s", "key": "k"}}},
            {"name": "D", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "E", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
        ],
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [
            {"key": "gpu", "operator": "Equal", "value": "x", "effect": "NoExecute", "tolerationSeconds": 5}
        ],
        "affinity": {
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}},
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": pods}]
            },
        },
        "imagePullSecrets": [{"name": "pull"}],
        "retries": 2,
        "activeDeadlineSeconds": 60,
        "ttlSecondsAfterFinished": 60,
        "suspend": True,
        "previewRows": 7,
        "rerunToken": "2026-01-01",
    }
    manifest = job_manifest(**spec)
    plane.run("apply", "-n", place.namespace, "-f", "-", stdin=yaml.safe_dump(manifest))
    stored = place.job()["spec"]
    assert {key: stored[key] for key in spec} == spec
    assert stored["dataSource"]["secretRef"] == {"name": "db", "key": "url"}


def test_defaults_are_few_and_observed_generation_starts_below_one(place: Place) -> None:
    created = place.apply(suspend=True)
    given = {"program", "dataSource", "suspend"}
    assert {key: value for key, value in created["spec"].items() if key not in given} == {
        "dialect": "postgres",
        "fusion": "Auto",
        "ordering": "Conservative",
        "previewRows": 100,
        "retries": 0,
    }
    assert created["status"] == {"observedGeneration": -1}


def test_kubectl_explains_every_field(plane: ControlPlane) -> None:
    schema = yaml.safe_load((ROOT / "crds" / "sqlflowjobs.yaml").read_text())["spec"]["versions"][0]["schema"]
    properties = schema["openAPIV3Schema"]["properties"]
    for part in ("spec", "status"):
        text = plane.run("explain", f"sfj.{part}").stdout
        for name, field in properties[part]["properties"].items():
            assert name in text
            assert field["description"].split()[0] in text
    assert "Name of the Secret" in plane.run("explain", "sfj.spec.dataSource.secretRef.name").stdout


def test_size_allows_client_side_apply_and_stored_objects_survive_an_upgrade(plane: ControlPlane, place: Place) -> None:
    crd = ROOT / "crds" / "sqlflowjobs.yaml"
    assert crd.stat().st_size < 100_000
    before = place.apply(suspend=True)
    plane.run("apply", "-f", str(crd))
    assert place.job()["spec"] == before["spec"]


def test_status_is_a_subresource(kube: KubeClient, place: Place) -> None:
    place.apply(suspend=True)
    kube.patch(SQLFLOWJOBS, place.namespace, "iris", {"status": {"phase": "Succeeded"}})
    assert "phase" not in place.status() or place.phase() != "Succeeded"
    before = place.job()
    kube.patch(SQLFLOWJOBS, place.namespace, "iris", {"status": {"message": "x"}}, subresource="status")
    assert place.job()["metadata"]["generation"] == before["metadata"]["generation"]


def test_get_all_lists_jobs_with_their_columns(plane: ControlPlane, place: Place) -> None:
    place.apply(suspend=True)
    out = plane.run("get", "all", "-n", place.namespace).stdout
    assert "sqlflowjob.sqlflow.org/iris" in out
    header = plane.run("get", "sfj", "-n", place.namespace).stdout.splitlines()[0].split()
    assert header == ["NAME", "PHASE", "STEPS", "BACKEND", "DURATION", "AGE", "MESSAGE"]
    wide = plane.run("get", "sfj", "-n", place.namespace, "-o", "wide").stdout.splitlines()[0].split()
    assert wide[-4:] == ["AGE", "STARTED", "RUN", "MESSAGE"]
    listed = json.loads(plane.run("get", "sfj", "-n", place.namespace, "-o", "json").stdout)
    assert [item["metadata"]["name"] for item in listed["items"]] == ["iris"]
