"""What no step can execute is refused before anything runs; the parser still understands it."""

from __future__ import annotations

import pytest
from sqlflow_codegen.errors import ProgramError, SQLFlowError
from sqlflow_codegen.language import ir as language
from sqlflow_codegen.language import parse_program, runnable_program
from sqlflow_runtime.execute import _RUNNERS

TRAIN = "SELECT a, b, y FROM t TO TRAIN {} {} LABEL y INTO m"


def refused(text: str, dialect: str = "postgres", *, job: bool = False) -> list[tuple[str, int, int, int]]:
    with pytest.raises(ProgramError) as caught:
        runnable_program(text, dialect, job=job)
    errors = [one for one in caught.value.diagnostics if one.severity == "error"]
    assert all(one.hint for one in errors if one.code not in ("empty-program", "unknown-estimator"))
    return [(one.code, one.statement, one.line, one.column) for one in errors]


def test_models_of_images() -> None:
    """Only the image knows the attributes, but for those that steer the training."""
    train = TRAIN.format("hub:5000/team/models:1.0/module.MyModel", "WITH model.anything=1, C=2.0, train.epoch={}")
    assert len(runnable_program(train.format(3))) == 1
    assert [one[0] for one in refused(train.format("3, train.epochs=3"))] == ["unknown-attribute"]
    with pytest.raises(ProgramError, match=r"`train\.epoch` of"):
        runnable_program(train.format(0))


@pytest.mark.parametrize(
    ("image", "valid"),
    [
        ("a", True),
        ("team/binning:1.0", True),
        ("hub:5000/Team/x", False),
        ("Hub.Example:5000/team/a__b-c.d:V1_2", True),
        ("a@sha256:" + "0" * 64, True),
        ("a:", False),
        ("a/{{workflow.name}}", False),
        ("a$(x)", False),
        ("a b", False),
    ],
)
def test_images(image: str, valid: bool) -> None:
    text = f"SELECT * FROM t TO RUN '{image}' CMD 'a'"
    if valid:
        assert len(runnable_program(text)) == 1
    else:
        assert ("invalid-image", 1, 1, 24) in refused(text)


@pytest.mark.parametrize("command", ["", "CMD ''"])
def test_run_needs_a_command(command: str) -> None:
    assert refused(f"SELECT * FROM t TO RUN team/image:1 {command}") == [("missing-clause", 1, 1, 24)]


@pytest.mark.parametrize("dialect", ["hive", "trino", "spark", "bigquery", "snowflake", "databricks"])
def test_dialects_without_a_database(dialect: str) -> None:
    assert refused("SELECT 1", dialect) == [("unsupported-dialect", 0, 1, 1)]
    assert len(parse_program("SELECT 1", dialect)) == 1


@pytest.mark.parametrize("dialect", ["postgres", "mysql", "mariadb", "sqlite", "duckdb", "cockroachdb"])
def test_dialects_with_a_database(dialect: str) -> None:
    assert len(runnable_program("SELECT 1", dialect)) == 1


def test_an_estimator_that_nobody_has() -> None:
    """Once, as an error; a class of scikit-learn may be newer than the catalogue."""
    assert refused(TRAIN.format("DNNClasifier", "")) == [("unknown-estimator", 1, 1, 32)]
    (one,) = runnable_program(TRAIN.format("sklearn.svm.NewSVC", "")).warnings
    assert one.code == "unknown-estimator"


def test_all_errors_at_once() -> None:
    train = "SELECT * FROM t TO TRAIN xgboost.gbtree WITH max_dept=3 LABEL y INTO m"
    text = f"SELECT 1;\nSELECT * FROM t TO RUN team/image:1;\n{train}"
    assert [one[:2] for one in refused(text)] == [("missing-clause", 2), ("unknown-attribute", 3)]


def test_a_step_executes_every_kind_of_statement() -> None:
    kinds = {one.kind for one in vars(language).values() if isinstance(one, type) and hasattr(one, "kind")}
    assert kinds == set(_RUNNERS)


@pytest.mark.parametrize("text", ["", "-- nothing", "/* a */ ; ;\n", "-- train SELECT 1;"])
def test_a_job_without_a_statement(text: str) -> None:
    assert refused(text, job=True)[0][0] in ("empty-program", "folded-program")
    assert len(runnable_program(text, "postgres")) == 0


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        ("CREATE TABLE a (x int); -- fill it INSERT INTO a VALUES (1); SELECT * FROM a;\n", "postgres"),
        ("-- my first job CREATE TABLE a (x int); SELECT 1", "postgres"),
        ("SELECT a, -- the key b FROM t;", "postgres"),
        ("SELECT 1; -- SELECT 2; SELECT 3;", "postgres"),
        ("SELECT * FROM t -- learn TO TRAIN xgboost.gbtree LABEL y INTO m;", "postgres"),
        ("SELECT 1; # next SELECT 2;", "mysql"),
    ],
)
def test_a_comment_that_has_swallowed_statements(text: str, dialect: str) -> None:
    """The operator only sees the text that YAML made: a program in one line."""
    (found,) = refused(text, dialect, job=True)
    assert found[0] == "folded-program"
    assert found[3] == 1 + max(text.find("--"), text.find("#"))
    assert runnable_program(text, dialect) is not None


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1; -- the last one",
        "SELECT 1 -- SELECT 2",
        "SELECT 1; -- SELECT 2;",
        "SELECT '-- a; SELECT 2;'; SELECT 3;",
        "SELECT 1; /* then SELECT 2; SELECT 3; */",
        "SELECT 1;\n-- then SELECT 2; SELECT 3;\n",
        "SELECT 1; -- see the manual; select with care",
    ],
)
def test_comments_that_may_be_meant(text: str) -> None:
    assert len(runnable_program(text, "postgres", job=True)) >= 1


def test_no_such_dialect() -> None:
    with pytest.raises(SQLFlowError, match="klingon"):
        runnable_program("SELECT 1", "klingon")
