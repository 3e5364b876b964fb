"""What both generators promise of the programs that they write: readable, formatted, standalone, user text as data."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sqlflow_codegen.backend import RunOptions
from sqlflow_codegen.errors import CodegenError
from sqlflow_codegen.graph import Ordering, Step

from tests.hostile import HOSTILE_TEXTS, literal
from tests.unit.codegen_engines.cases import CODEGENS, FULL, constants, parsed, placeholders

GOLDEN = Path(__file__).with_name("golden")


def documents(backend: str, text: str, options: RunOptions) -> list[dict[str, Any]]:
    codegen = CODEGENS[backend]
    return list(yaml.safe_load_all(codegen.gen_yaml(codegen.gen_code(parsed(text), options))))


def run(path: Path, *interpreter: str) -> str:
    return subprocess.run(
        [sys.executable, "-W", "error::SyntaxWarning", *interpreter, str(path)],
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    ).stdout


@pytest.mark.usefixtures("graph")
def test_golden_program_and_manifests(backend: str) -> None:
    """The files are what a reader of this project looks at; SQLFLOW_UPDATE_GOLDEN=1 writes them anew."""
    codegen = CODEGENS[backend]
    code = codegen.gen_code(parsed(), FULL)
    text = codegen.gen_yaml(code)
    program, manifests = GOLDEN / f"{backend}.py", GOLDEN / f"{backend}.yaml"
    if os.environ.get("SQLFLOW_UPDATE_GOLDEN"):
        program.write_text(code, encoding="utf-8")
        manifests.write_text(text, encoding="utf-8")
    assert code == program.read_text(encoding="utf-8")
    assert text == manifests.read_text(encoding="utf-8")


@pytest.mark.usefixtures("graph")
@pytest.mark.parametrize("options", [RunOptions(), FULL], ids=["least", "full"])
def test_the_program_stands_alone(backend: str, options: RunOptions, tmp_path: Path) -> None:
    code = CODEGENS[backend].gen_code(parsed(), options)
    path = tmp_path / "program.py"
    path.write_text(code, encoding="utf-8")
    assert run(path) == CODEGENS[backend].gen_yaml(code)
    if backend == "tekton":
        assert run(path, "-m", "fluid") == CODEGENS[backend].gen_yaml(code)


@pytest.mark.usefixtures("graph")
def test_programs_are_as_ruff_format_leaves_them(backend: str, tmp_path: Path) -> None:
    long_names = replace(FULL, name="r" * 63, secret_name="s" * 200, image="registry.local/" + "i" * 120)
    cases = [
        ("SELECT 1", RunOptions()),
        ("SELECT 1;\nSELECT 2;\n", replace(FULL, suspend=False, owner=None, env=[])),
        (";\n".join(f"SELECT {literal(t)}" for t in HOSTILE_TEXTS.values()), FULL),
        ("SELECT '" + "x" * 60 + "'", long_names),
        ("SELECT 'it''s \"so\"', \"a\", 'b' -- 日本語 " + "字" * 30, long_names),
    ]
    for number, (text, options) in enumerate(cases):
        code = CODEGENS[backend].gen_code(parsed(text), options)
        (tmp_path / f"program{number}.py").write_text(code, encoding="utf-8", newline="")
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_text_is_one_literal_of_the_program(text: str) -> None:
    program = replace(parsed("SELECT 1"), text=text)
    for codegen in CODEGENS.values():
        assert constants(codegen.gen_code(program, RunOptions()))["PROGRAM"] == text


@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS)
def test_hostile_text_reaches_the_config_map_and_nothing_else(backend: str, text: str) -> None:
    statement = f"SELECT {literal(text)}"
    config_map, child = documents(backend, statement, RunOptions())
    assert config_map["data"] == {"program.sql": statement}
    assert not [found for found in placeholders(child) if text in found]


def test_no_argument_and_no_variable_grows_with_the_program(backend: str) -> None:
    statements = [f"INSERT INTO t VALUES ({n}, '{'x' * 1500}')" for n in range(200)]
    config_map, child = documents(backend, ";\n".join(statements), RunOptions(retries=1))
    assert len(config_map["data"]["program.sql"]) > 300_000
    assert max(map(len, placeholders(child))) < 200


def test_two_hundred_steps_fit_into_an_object(backend: str) -> None:
    model = "SELECT a, y FROM t TO TRAIN xgboost.gbtree LABEL y INTO m{}"
    text = ";\n".join(model.format(n) for n in range(200))
    _, child = documents(backend, text, FULL)
    # etcd takes 1.5 MiB; Tekton copies the pipeline into its status.
    assert len(yaml.safe_dump(child)) < 1_200_000


def test_the_config_map(backend: str) -> None:
    config_map, child = documents(backend, "SELECT 1", replace(FULL, env=[]))
    assert config_map["immutable"] is True
    assert config_map["metadata"] == child["metadata"]
    assert child["metadata"]["name"] == FULL.name
    assert child["metadata"]["namespace"] == "team"
    assert child["metadata"]["ownerReferences"] == [FULL.owner]
    assert child["metadata"]["annotations"] == {"sqlflow.org/job": "churn"}
    assert child["metadata"]["labels"] == {
        "sqlflow.org/run": FULL.name,
        "sqlflow.org/job": "churn",
        "sqlflow.org/job-uid": "7e5b1c52-4f0e-4c3e-9d7a-0123456789ab",
    }


def test_outside_the_operator_there_is_no_owner(backend: str) -> None:
    config_map, child = documents(backend, "SELECT 1", RunOptions())
    assert (
        config_map["metadata"]
        == child["metadata"]
        == {
            "name": "sqlflow-run",
            "labels": {"sqlflow.org/run": "sqlflow-run"},
        }
    )


@pytest.mark.parametrize("name", ["A", "a_b", "", "-a", "a" * 64, "a b"])
def test_names_that_the_engines_refuse(backend: str, name: str) -> None:
    with pytest.raises(CodegenError, match="the run's name"):
        CODEGENS[backend].gen_code(parsed(), RunOptions(name=name))


def test_an_empty_program(backend: str) -> None:
    with pytest.raises(CodegenError, match="no statement"):
        CODEGENS[backend].gen_code(parsed(" -- nothing\n"), RunOptions())


def test_a_program_that_fails_names_its_line(backend: str) -> None:
    code = CODEGENS[backend].gen_code(parsed(), RunOptions())
    broken = code + "\nraise ValueError('broken')\n"
    with pytest.raises(CodegenError, match=rf"line {len(broken.splitlines())}: ValueError: broken"):
        CODEGENS[backend].gen_yaml(broken)


def test_a_program_that_prints_nothing(backend: str) -> None:
    with pytest.raises(CodegenError, match="printed no YAML"):
        CODEGENS[backend].gen_yaml("x = 1\n")


@pytest.mark.usefixtures("graph")
def test_many_threads_at_once(backend: str) -> None:
    def build(number: int) -> str:
        codegen = CODEGENS[backend]
        return codegen.gen_yaml(codegen.gen_code(parsed(), replace(FULL, name=f"run-{number}")))

    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(build, range(16)))
    assert [[d["metadata"]["name"] for d in yaml.safe_load_all(t)] for t in texts] == [
        [f"run-{n}", f"run-{n}"] for n in range(16)
    ]
    assert texts[3].replace("run-3", "run-5") == texts[5]


@pytest.mark.usefixtures("graph")
def test_session_statements_are_named_where_steps_need_them(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Step("s3-sql", "sql", (3, 4), session=(1, 2))
    monkeypatch.setattr("sqlflow_codegen.generator.plan_steps", lambda *_, **__: (step,))
    _, child = documents(backend, "SELECT 1", RunOptions())
    arguments = next(t for t in _lists(child) if "--statements" in t)
    assert arguments[-6:] == ["--preview-rows", "100", "--statements", "3-4", "--session", "1-2"]


@pytest.mark.parametrize("retries", [0, 1])
def test_what_only_sets_up_the_session_is_named(backend: str, retries: int) -> None:
    text = "CREATE TEMP TABLE x (y int); WITH z AS (SELECT 1) INSERT INTO x SELECT * FROM z; INSERT INTO t TABLE x"
    _, child = documents(backend, text, RunOptions(retries=retries))
    arguments = next(t for t in _lists(child) if "--statements" in t)
    assert "--repeat" in arguments
    if retries:
        assert arguments[arguments.index("--repeat") :][:2] == ["--repeat", "1-2"]


def test_ordering_and_fusion_shape_the_dag(backend: str) -> None:
    def steps(text: str, options: RunOptions) -> Any:
        return constants(CODEGENS[backend].gen_code(parsed(text), options))["STEPS"]

    chain = "CREATE TABLE a AS SELECT 1 AS x; CREATE TABLE b AS SELECT x FROM a"
    assert steps(chain, RunOptions()) == [{"name": "s1-sql", "statements": "1-2"}]
    assert steps(chain, RunOptions(fusion=False)) == [
        {"name": "s1-sql", "statements": "1"},
        {"name": "s2-sql", "after": ["s1-sql"], "statements": "2"},
    ]
    fork = "CREATE TABLE a AS SELECT 1 AS x; CREATE TABLE b AS SELECT 2 AS x; SELECT * FROM a, b"
    assert steps(fork, RunOptions()) == [
        {"name": "s1-sql", "statements": "1"},
        {"name": "s2-sql", "statements": "2"},
        {"name": "s3-sql", "after": ["s1-sql", "s2-sql"], "statements": "3"},
    ]
    assert steps(fork, RunOptions(ordering=Ordering.SEQUENTIAL)) == [{"name": "s1-sql", "statements": "1-3"}]


def _lists(value: Any) -> list[list[Any]]:
    if isinstance(value, dict):
        return [found for item in value.values() for found in _lists(item)]
    if isinstance(value, list):
        return [value, *(found for item in value for found in _lists(item))]
    return []
