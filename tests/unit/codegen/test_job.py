"""The Job code generator: what it prints, and that no character of the program is lost on the way."""

from __future__ import annotations

import ast
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sqlflow_codegen.backend import Codegen, RunOptions
from sqlflow_codegen.errors import CodegenError
from sqlflow_codegen.job import JobCodegen
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.language.ir import Program, Span, SqlStatement
from sqlflow_codegen.literals import literal, text_literal

from tests.hostile import HOSTILE_TEXTS
from tests.hostile import program as hostile_program

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = Path(__file__).parent / "golden"
IRIS = (ROOT / "examples" / "01-iris" / "program.sql").read_text(encoding="utf-8")

OPTIONS = RunOptions(
    name="iris-4f2a",
    namespace="demo",
    owner={
        "apiVersion": "sqlflow.org/v1alpha1",
        "kind": "SQLFlowJob",
        "name": "iris",
        "uid": "6c1f",
        "controller": True,
    },
    job_name="iris",
    secret_name="iris-database",
    secret_key="url",
    image="localhost/sqlflow-step:dev",
    image_pull_policy="IfNotPresent",
    image_pull_secrets=[{"name": "registry"}],
    service_account_name="runner",
    resources={"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
    env=[{"name": "A", "value": "it's $(B) {{x}} \r\n"}, {"name": "N", "value": "1e3"}],
    node_selector={"disk": "ssd"},
    tolerations=[{"key": "gpu", "operator": "Exists"}],
    affinity={"nodeAffinity": {}},
    retries=2,
    active_deadline_seconds=600,
    preview_rows=7,
    suspend=True,
)


def documents(program: Program, options: RunOptions | None = None) -> list[dict[str, Any]]:
    codegen: Codegen = JobCodegen()
    code = codegen.gen_code(program, options) if options else codegen.gen_code(program)
    return list(yaml.safe_load_all(codegen.gen_yaml(code)))


def carried(text: str, loader: Any = yaml.SafeLoader) -> str:
    """The program's text as the ConfigMap carries it."""
    codegen = JobCodegen()
    statement = SqlStatement(number=1, text=text, span=Span(0, len(text), 1, 1), verb="")
    code = codegen.gen_code(Program(text, "postgres", (statement,)))
    config_map = next(iter(yaml.load_all(codegen.gen_yaml(code), Loader=loader)))
    return str(config_map["data"]["program.sql"])


def test_config_map() -> None:
    config_map, _ = documents(parse_program(IRIS), OPTIONS)
    assert config_map["metadata"] == {
        "name": "iris-4f2a",
        "namespace": "demo",
        "labels": {"sqlflow.org/run": "iris-4f2a", "sqlflow.org/job": "iris", "sqlflow.org/job-uid": "6c1f"},
        "annotations": {"sqlflow.org/job": "iris"},
        "ownerReferences": [OPTIONS.owner],
    }
    assert (config_map["kind"], config_map["immutable"], config_map["data"]) == (
        "ConfigMap",
        True,
        {"program.sql": IRIS},
    )


def test_job() -> None:
    config_map, job = documents(parse_program(IRIS), OPTIONS)
    assert (job["apiVersion"], job["kind"], job["metadata"]) == ("batch/v1", "Job", config_map["metadata"])
    spec = job["spec"]
    pod = spec["template"]["spec"]
    assert spec["template"]["metadata"] == {
        "labels": config_map["metadata"]["labels"],
        "annotations": {"sqlflow.org/job": "iris"},
    }
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"], spec["suspend"]) == (2, 600, True)
    assert [rule["action"] for rule in spec["podFailurePolicy"]["rules"]] == ["FailJob", "Ignore"]
    assert spec["podFailurePolicy"]["rules"][0]["onExitCodes"] == {"operator": "In", "values": [1, 2, 5, 6]}
    assert [container["name"] for container in pod["initContainers"]] == [
        "s1-sql",
        "s2-train",
        "s3-evaluate",
        "s4-predict",
    ]
    assert [container["name"] for container in pod["containers"]] == ["s5-sql"]
    assert (pod["restartPolicy"], pod["automountServiceAccountToken"]) == ("Never", False)
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert (pod["serviceAccountName"], pod["nodeSelector"]) == ("runner", {"disk": "ssd"})
    assert (pod["tolerations"], pod["affinity"]) == ([{"key": "gpu", "operator": "Exists"}], {"nodeAffinity": {}})
    assert pod["imagePullSecrets"] == [{"name": "registry"}]
    assert pod["volumes"][0] == {"name": "program", "configMap": {"name": "iris-4f2a"}}


def test_containers() -> None:
    _, job = documents(parse_program(IRIS), OPTIONS)
    pod = job["spec"]["template"]["spec"]
    train, last = pod["initContainers"][1], pod["containers"][0]
    common = ["--program", "/sqlflow/program.sql", "--dialect", "postgres"]
    assert train["command"] == last["command"] == ["sqlflow-step"]
    assert train["args"] == [*common, "--preview-rows", "7", "--retries", "2", "--statements", "2"]
    assert last["args"] == [*common, "--preview-rows", "7", "--retries", "2", "--statements", "5"]
    for container in (*pod["initContainers"], last):
        assert (container["image"], container["imagePullPolicy"]) == ("localhost/sqlflow-step:dev", "IfNotPresent")
        assert container["env"] == [
            {
                "name": "SQLFLOW_DATABASE_URL",
                "valueFrom": {"secretKeyRef": {"name": "iris-database", "key": "url"}},
            },
            {"name": "SQLFLOW_RUN", "value": "iris-4f2a"},
            {
                "name": "SQLFLOW_RUN_UID",
                "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/controller-uid']"}},
            },
            *OPTIONS.env,
        ]
        assert container["resources"] == OPTIONS.resources
        assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["volumeMounts"] == [
            {"name": "program", "mountPath": "/sqlflow", "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},
        ]


def test_only_what_is_asked_for() -> None:
    config_map, job = documents(parse_program("SELECT 1; SELECT 2"))
    spec = job["spec"]
    pod = spec["template"]["spec"]
    assert set(config_map["metadata"]) == {"name", "labels"}
    assert set(spec) == {"backoffLimit", "podFailurePolicy", "template"}
    assert [rule["action"] for rule in spec["podFailurePolicy"]["rules"]] == ["FailJob"]
    assert not {"serviceAccountName", "nodeSelector", "tolerations", "affinity", "imagePullSecrets"} & set(pod)
    assert pod["initContainers"] == []
    (step,) = pod["containers"]
    assert step["args"][-5:] == ["--preview-rows", "100", "--resumable", "--statements", "1-2"]
    assert not {"imagePullPolicy", "resources"} & set(step)


def test_a_program_without_statements_is_refused() -> None:
    with pytest.raises(CodegenError, match="no statement"):
        JobCodegen().gen_code(parse_program("-- nothing"))


def test_code_that_prints_nothing_is_refused() -> None:
    with pytest.raises(CodegenError, match="printed no YAML"):
        JobCodegen().gen_yaml("x = 1")


def test_golden_iris() -> None:
    """Regenerate with `python tests/unit/codegen/regenerate.py`."""
    codegen = JobCodegen()
    code = codegen.gen_code(parse_program(IRIS), OPTIONS)
    assert code == (GOLDEN / "iris-job.py.txt").read_text(encoding="utf-8")
    golden = (GOLDEN / "iris-job.yaml").read_text(encoding="utf-8")
    assert list(yaml.safe_load_all(codegen.gen_yaml(code))) == list(yaml.safe_load_all(golden))


def test_the_code_stands_alone(tmp_path: Path) -> None:
    codegen = JobCodegen()
    code = codegen.gen_code(parse_program(IRIS), OPTIONS)
    imports = [node for node in ast.walk(ast.parse(code)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert {alias.name for node in imports for alias in node.names} == {"yaml"}
    (tmp_path / "program.py").write_text(code, encoding="utf-8")
    run = subprocess.run([sys.executable, "-I", tmp_path / "program.py"], capture_output=True, check=True, timeout=60)
    assert run.stdout.decode() == codegen.gen_yaml(code)


@pytest.mark.parametrize("program", [IRIS, hostile_program(), "SELECT 1"])
def test_the_code_is_laid_out_as_formatters_do(program: str) -> None:
    code = JobCodegen().gen_code(parse_program(program), OPTIONS)
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", "-"]
    run = subprocess.run(command, input=code.encode(), capture_output=True, check=False, timeout=60)
    assert run.stdout.decode() == ""
    assert run.returncode == 0


# -- no character is lost


@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=list(HOSTILE_TEXTS))
def test_hostile_texts_travel(text: str) -> None:
    assert carried(text) == text
    assert carried(f"SELECT 1;\n{text}\n") == f"SELECT 1;\n{text}\n"


def test_every_character_travels() -> None:
    codes = [*range(0x10000), *range(0x10000, 0x110000, 61), 0x10FFFE, 0x10FFFF]
    every = "".join(chr(code) for code in codes if not 0xD800 <= code < 0xE000)
    assert carried(every, yaml.CSafeLoader) == every
    assert carried(every[:0x3100]) == every[:0x3100]


def test_special_characters_travel_in_every_place() -> None:
    special = [*range(0xA1), 0xAD, *range(0x200B, 0x2030), 0x2060, 0x3000, 0xFEFF, 0xFFFD, 0xFFFE, 0x1F600, 0x10FFFF]
    texts = [
        text for code in special for c in (chr(code),) for text in (c, f"{c}a", f"a{c}", f"a{c}\nb", f"a\n{c}b\n{c}")
    ]
    statements = tuple(
        SqlStatement(number=number, text="", span=Span(0, 0, 1, 1), verb="") for number in range(1, len(texts) + 1)
    )
    # One run carries them all, as values of environment variables.
    options = RunOptions(env=[{"name": f"T{index}", "value": text} for index, text in enumerate(texts)])
    _, job = documents(Program("", "postgres", statements[:1]), options)
    env = job["spec"]["template"]["spec"]["containers"][0]["env"]
    assert [variable["value"] for variable in env if variable["name"].startswith("T")] == texts


ALPHABET = [
    "a",
    "b",
    " ",
    "\n",
    "\r",
    "\t",
    ":",
    "- ",
    "#",
    "'",
    '"',
    "\\",
    "\u2028",
    "\x85",
    "\ufeff",
    "é",
    "😀",
    "|",
    ">",
]
ALPHABET += [
    "%",
    "&",
    "*",
    "!",
    "\x7f",
    "\x00",
    "---\n",
    "...\n",
    "\r\n",
    "? ",
    "{{x}}",
    "$(X)",
    "[",
    "{",
    "yes",
    "0x1",
    "~",
]


def test_random_texts_travel() -> None:
    chance = random.Random(20)
    texts = ["".join(chance.choices(ALPHABET, k=chance.randrange(30))) for _ in range(2000)]
    options = RunOptions(env=[{"name": f"T{index}", "value": text} for index, text in enumerate(texts)])
    _, job = documents(parse_program("SELECT 1"), options)
    env = job["spec"]["template"]["spec"]["containers"][0]["env"]
    assert [variable["value"] for variable in env if variable["name"].startswith("T")] == texts


@given(st.text(st.sampled_from("".join(ALPHABET))))
def test_literals_are_what_they_say(text: str) -> None:
    assert ast.literal_eval(text_literal(text)) == text
    value = {text: [text, 1, None, True, {"k": text * 9}]}
    assert ast.literal_eval(literal(value)) == value


def test_nothing_of_the_program_is_in_arguments_or_environment() -> None:
    train = "SELECT 'zebra $(HOME) $$ {{x}}' AS zebra TO TRAIN image/Own WITH zebra='zebra' INTO zebra;"
    program = parse_program(train + "SELECT 'zebra' TO RUN other CMD 'zebra', '{{zebra}}$(zebra)' INTO zebra")
    config_map, job = documents(program)
    assert "zebra" in config_map["data"]["program.sql"]
    assert "zebra" not in yaml.safe_dump(job)


def test_what_shapes_a_session_is_run_again_in_every_later_step() -> None:
    program = parse_program("SET search_path TO iris; SELECT * FROM train TO TRAIN a.B LABEL y INTO m; SELECT 1;")
    _, job = yaml.safe_load_all(JobCodegen().gen_yaml(JobCodegen().gen_code(program, OPTIONS)))
    pod = job["spec"]["template"]["spec"]
    train, select = (c["args"] for c in (*pod["initContainers"], *pod["containers"]))
    assert "--session" not in train
    assert train[train.index("--statements") + 1] == "1-2"
    assert select[select.index("--session") + 1] == "1"


@pytest.mark.parametrize("retries", [0, 1])
def test_what_only_sets_up_the_session_is_named(retries: int) -> None:
    program = parse_program("SET x = 1; CREATE TEMP TABLE x (y int); INSERT INTO t SELECT * FROM x;")
    _, job = yaml.safe_load_all(JobCodegen().gen_yaml(JobCodegen().gen_code(program, RunOptions(retries=retries))))
    (arguments,) = (c["args"] for c in job["spec"]["template"]["spec"]["containers"])
    assert arguments[arguments.index("--repeat") + 1] == "1-2"
