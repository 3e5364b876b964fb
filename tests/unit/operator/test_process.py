"""The process around the reconcile loop: configuration, calls to the API server, health, logs, manifests, parsing."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import kubernetes
import pytest
import yaml
from prometheus_client import CollectorRegistry
from sqlflow_codegen.graph import Ordering
from sqlflow_codegen.language.dialects import DATABASES
from sqlflow_codegen.sandbox import Limits
from sqlflow_operator import logging_setup
from sqlflow_operator.api import Backend, SQLFlowJob
from sqlflow_operator.config import Config, ConfigError
from sqlflow_operator.health import HealthServer, Heartbeat
from sqlflow_operator.kube import (
    JOBS,
    PODS,
    SQLFLOWJOBS,
    AlreadyExistsError,
    ApiError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnavailableError,
)
from sqlflow_operator.kube.client import KubeClient
from sqlflow_operator.parsing import ParserUnavailableError, parse, parse_apart
from sqlflow_operator.reconcile.program_cache import PROGRAM_BYTES, ProgramCache, parse_bounded
from sqlflow_operator.warm import PROGRAM

from tests.support.http_get import http_get
from tests.unit.operator.fakes import Clock
from tests.unit.operator.world import job_manifest

ROOT = Path(__file__).resolve().parents[3]


def test_configuration_from_the_environment() -> None:
    assert Config.from_environment({}) == Config()
    config = Config.from_environment(
        {
            "SQLFLOW_STEP_IMAGE": "a:1",
            "SQLFLOW_STEP_IMAGE_PULL_POLICY": "Never",
            "SQLFLOW_NAMESPACES": " a, b,",
            "SQLFLOW_BACKEND": "argo",
            "SQLFLOW_WORKERS": "2",
        }
    )
    assert config.namespaces == ("a", "b")
    assert (config.step_image, config.step_image_pull_policy, config.workers) == ("a:1", "Never", 2)
    assert config.default_backend is Backend.ARGO


@pytest.mark.parametrize(
    ("name", "value"),
    [("SQLFLOW_BACKEND", "airflow"), ("SQLFLOW_WORKERS", "0"), ("SQLFLOW_PORT", "http"), ("SQLFLOW_LOG_LEVEL", "x")],
)
def test_configuration_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} is '{value}'; it must be"):
        Config.from_environment({name: value})


class ApiServer(BaseHTTPRequestHandler):
    """Answers what the test has put down."""

    answers: ClassVar[list[tuple[int, Any, dict[str, str]]]] = []
    requests: ClassVar[list[tuple[str, str, Any, dict[str, str]]]] = []

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.requests.append((self.command, self.path, json.loads(body) if body else None, dict(self.headers)))
        status, content, headers = self.answers.pop(0)
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def kube() -> Iterator[KubeClient]:
    ApiServer.answers, ApiServer.requests = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), ApiServer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    configuration = kubernetes.client.Configuration()
    configuration.host = f"http://127.0.0.1:{server.server_port}"
    configuration.api_key["BearerToken"] = "Bearer secret"
    client = KubeClient(configuration, timeout=2)
    yield client
    client._pool.clear()
    server.shutdown()
    server.server_close()
    thread.join()


def test_calls_say_what_is_meant(kube: KubeClient) -> None:
    ApiServer.answers = [(200, {}, {})] * 4 + [(200, b"first\nline\n", {})]
    kube.get(JOBS, "ns", "a")
    kube.create(JOBS, "ns", {"a": 1})
    kube.patch(SQLFLOWJOBS, "ns", "a", {"status": {}}, subresource="status")
    kube.delete(JOBS, "ns", "a", uid="u")
    assert kube.read_log("ns", "p", "c", lines=5, limit_bytes=10) == "line\n"
    [get, create, patch, delete, log] = ApiServer.requests
    assert get[:2] == ("GET", "/apis/batch/v1/namespaces/ns/jobs/a")
    assert get[3]["Authorization"] == "Bearer secret"
    assert create[:3] == ("POST", "/apis/batch/v1/namespaces/ns/jobs", {"a": 1})
    assert patch[1] == "/apis/sqlflow.org/v1alpha1/namespaces/ns/sqlflowjobs/a/status"
    assert patch[3]["Content-Type"] == "application/merge-patch+json"
    assert delete[2]["propagationPolicy"] == "Background"
    assert delete[2]["preconditions"] == {"uid": "u"}
    assert log[1] == "/api/v1/namespaces/ns/pods/p/log?container=c&tailLines=5"


def test_logs_are_streamed(kube: KubeClient) -> None:
    """Whoever has read enough hangs up; the client goes on with another connection."""
    log = b"2026-01-01T00:00:00Z line\n" * 10_000
    ApiServer.answers = [(200, log, {}), (200, log, {}), (404, {"message": "no pod p"}, {}), (200, {"a": 1}, {})]
    whole = kube.stream_log("ns", "p", "c", since="2026-01-01T00:00:00+02:00", previous=True)
    assert b"".join(whole) == log
    assert parse_qs(urlsplit(ApiServer.requests[0][1]).query) == {
        "container": ["c"], "timestamps": ["true"], "sinceTime": ["2026-01-01T00:00:00+02:00"], "previous": ["true"],
    }  # fmt: skip
    part = kube.stream_log("ns", "p", "c")
    assert next(part).startswith(b"2026-01-01T00:00:00Z line\n")
    part.close()
    with pytest.raises(NotFoundError, match="no pod p"):
        next(kube.stream_log("ns", "p", "c"))
    assert kube.get(JOBS, "ns", "a") == {"a": 1}


def test_a_log_that_is_cut_off_is_an_error(kube: KubeClient) -> None:
    ApiServer.answers = [(200, b"line\n", {"Content-Length": "100"})]
    with pytest.raises(UnavailableError, match="cut"):
        list(kube.stream_log("ns", "p", "c"))


def test_lists_are_read_page_by_page(kube: KubeClient) -> None:
    ApiServer.answers = [
        (200, {"items": [{"a": 1}], "metadata": {"continue": "x y"}}, {}),
        (200, {"items": [{"a": 2}], "metadata": {}}, {}),
    ]
    assert kube.list(PODS, None, labels="a=b", metadata_only=True) == [{"a": 1}, {"a": 2}]
    assert ApiServer.requests[0][1] == "/api/v1/pods?labelSelector=a%3Db&limit=500"
    assert ApiServer.requests[1][1].endswith("continue=x+y")
    assert "PartialObjectMetadataList" in ApiServer.requests[0][3]["Accept"]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, {"reason": "NotFound"}, NotFoundError),
        (409, {"reason": "AlreadyExists"}, AlreadyExistsError),
        (409, {"reason": "Conflict"}, ConflictError),
        (422, {"reason": "Invalid"}, InvalidError),
        (403, {"reason": "Forbidden"}, ForbiddenError),
        (429, {"reason": "TooManyRequests"}, UnavailableError),
        (500, b"<html>", UnavailableError),
        (504, {}, UnavailableError),
    ],
)
def test_errors_are_told_apart(kube: KubeClient, status: int, body: Any, kind: type[ApiError]) -> None:
    ApiServer.answers = [(status, body, {"Retry-After": "7"} if status == 429 else {})]
    with pytest.raises(kind) as error:
        kube.get(JOBS, "ns", "a")
    assert error.value.status == status
    assert error.value.retry_after == (7 if status == 429 else None)


def test_no_answer_is_an_error_of_its_own() -> None:
    configuration = kubernetes.client.Configuration()
    configuration.host = "http://127.0.0.1:9"
    calls: list[tuple[str, str, int]] = []
    client = KubeClient(configuration, timeout=1, on_call=lambda *call: calls.append(call))
    with pytest.raises(UnavailableError, match="cannot be reached"):
        client.get(JOBS, "ns", "a")
    assert calls == [("get", "jobs", 0)]


def test_served_kinds(kube: KubeClient) -> None:
    ApiServer.answers = [(200, {"resources": [{"name": "sqlflowjobs"}]}, {}), (200, {}, {}), (404, {}, {})]
    assert [kube.serves(SQLFLOWJOBS) for _ in range(3)] == [True, False, False]


def fetch(port: int, path: str) -> tuple[int, str]:
    return http_get(f"http://127.0.0.1:{port}{path}")


def test_health_turns_red_with_a_reason() -> None:
    problem = ""
    server = HealthServer(0, CollectorRegistry(), live={"loop": lambda: problem}, ready={})
    server.start()
    try:
        assert fetch(server.port, "/healthz") == (200, "ok\n")
        problem = "hangs"
        assert fetch(server.port, "/healthz") == (503, "loop: hangs\n")
        assert fetch(server.port, "/readyz") == (200, "ok\n")
        assert fetch(server.port, "/metrics")[0] == 200
        assert fetch(server.port, "/else")[0] == 404
    finally:
        server.stop()


def test_heart_beats_by_the_clock() -> None:
    clock = Clock()
    heartbeat = Heartbeat(clock.monotonic)
    clock.sleep(31)
    assert heartbeat.age() == 31


def test_logs_are_json(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        logging_setup.configure("INFO")
        logging.getLogger("x").info("words", extra={"job": "ns/iris"})
    finally:
        root.handlers[:], root.level = before
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], line["logger"], line["message"], line["job"]) == ("INFO", "x", "words", "ns/iris")


def manifests(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((ROOT / "manifests" / "base" / f"{name}.yaml").read_text()))


def test_the_role_is_no_wider_than_needed() -> None:
    rules = {
        (group, resource): set(rule["verbs"])
        for rule in manifests("role")[0]["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert rules == {
        ("sqlflow.org", "sqlflowjobs"): {"get", "list", "watch"},
        ("sqlflow.org", "sqlflowjobs/status"): {"patch"},
        ("batch", "jobs"): {"get", "list", "watch", "create", "patch", "delete"},
        ("argoproj.io", "workflows"): {"get", "list", "watch", "create", "patch", "delete"},
        ("tekton.dev", "pipelineruns"): {"get", "list", "watch", "create", "patch", "delete"},
        ("tekton.dev", "taskruns"): {"get", "list", "watch"},
        ("", "configmaps"): {"get", "create", "delete"},
        ("", "pods"): {"get", "list", "watch"},
        ("", "pods/log"): {"get"},
        ("", "events"): {"create", "list", "watch"},
        ("authorization.k8s.io", "localsubjectaccessreviews"): {"create"},
    }


def test_the_deployment_fits_the_restricted_profile() -> None:
    assert manifests("namespace")[0]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    spec = manifests("deployment")[0]["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}
    pod = spec["template"]["spec"]
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    [container] = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_parsing_apart_gives_what_parsing_here_gives() -> None:
    text = "SELECT '''{{x}}', $(X), `a`, '😀';\r\nSELECT * FROM t TO TRAIN xgboost.gbtree LABEL c INTO m;"
    assert parse_apart(text, "postgres") == parse(text, "postgres")
    bad = "SELECT * FROM t TO TRAIN x;"
    assert parse_apart(bad, "postgres").diagnostics == parse(bad, "postgres").diagnostics != ()


@pytest.mark.parametrize("dialect", sorted(set(DATABASES.values())))
def test_the_program_that_warms_the_parser_is_valid(dialect: str) -> None:
    """An invalid one would leave the planning of steps cold."""
    parsed = parse(PROGRAM, dialect)
    assert parsed.diagnostics == ()
    assert len(parsed.steps) == 4


def test_a_program_that_takes_too_long_to_parse_is_told_so() -> None:
    endless = "SELECT 'a' FROM t;\n" * 200_000
    parsed = parse_apart(endless, "postgres", limits=Limits(wall=1, cpu=1))
    assert [found.code for found in parsed.diagnostics] == ["program-too-complex"]
    assert "1 seconds" in parsed.diagnostics[0].message


def test_a_parser_that_dies_is_tried_again() -> None:
    with pytest.raises(ParserUnavailableError):
        parse_apart("SELECT 1;\n" * 100_000, "postgres", limits=Limits(wall=20, cpu=20, memory=1 << 20))


def test_programs_beyond_a_config_map_are_refused() -> None:
    text = "-- " + "é" * (PROGRAM_BYTES // 2) + "\nSELECT 1;"
    described = parse_bounded(text, "postgres", Ordering.CONSERVATIVE, True, parse)
    assert [found.code for found in described.diagnostics] == ["program-too-large"]


def test_programs_are_parsed_once_per_generation() -> None:
    asked: list[str] = []

    def count(text: str, dialect: str, ordering: Ordering, fusion: bool) -> Any:
        asked.append(text)
        return parse(text, dialect, ordering, fusion)

    cache = ProgramCache(count, size=2)
    for uid, generation in (("a", 1), ("a", 1), ("a", 2), ("b", 1), ("a", 1)):
        raw = job_manifest()
        raw["metadata"] |= {"uid": uid, "generation": generation, "namespace": "ns", "resourceVersion": "1"}
        cache.get(SQLFlowJob.parse(raw), Backend.JOB)
    assert len(asked) == 4
