"""`sqlflow check` as a person, a script and a code host see it."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest
from sqlflow_cli.app import app
from typer.testing import CliRunner, Result

ROOT = Path(__file__).resolve().parents[3]
BAD = "SELECT 1;\nSELECT * FROM t\nTO TRAIN xgboost.gbtree\nWITH max_dept=3, eta='x'\nLABEL y INTO m;\n"
WARNED = "SELECT a, y FROM t TO TRAIN sklearn.svm.NewSVC LABEL y INTO m;\nDO $$ BEGIN END $$;\n"
JOB = """\
apiVersion: sqlflow.org/v1alpha1
kind: SQLFlowJob
metadata: {{name: {name}}}
spec:
  dialect: {dialect}
  dataSource: {{secretRef: {{name: db}}}}
  program: {program}
"""


def check(*arguments: str | Path, text: str | None = None) -> Result:
    return CliRunner().invoke(app, ["check", *map(str, arguments)], input=text, env={"NO_COLOR": "1"})


def findings(*arguments: str | Path, text: str | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(check(*arguments, "--format", "json", text=text).stdout)["findings"]
    return found


def job(program: str, name: str = "a", dialect: str = "postgres") -> str:
    return JOB.format(name=name, dialect=dialect, program=program)


def block(program: str) -> str:
    return "|\n" + textwrap.indent(program, "    ")


@pytest.fixture
def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("bad one.sql").write_text(BAD, encoding="utf-8")
    return Path("bad one.sql")


def test_all_errors_as_a_compiler_shows_them(bad: Path) -> None:
    result = check(bad)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[:6] == [
        "error[unknown-attribute]: unknown attribute `max_dept` of xgboost.gbtree",
        " --> bad one.sql:4:6, statement 2",
        "  |",
        "4 | WITH max_dept=3, eta='x'",
        "  |      ^~~~~~~~",
        "  = hint: Did you mean `max_depth`?",
    ]
    assert " --> bad one.sql:4:22, statement 2" in lines
    assert lines[-1] == "bad one.sql: 2 errors, no warnings"


def test_warnings_of_language_and_graph_are_no_errors() -> None:
    result = check("-", text=WARNED)
    assert result.exit_code == 0
    assert "warning[unknown-estimator]" in result.stdout
    assert "waits for all before it" in result.stdout
    assert result.stdout.splitlines()[-1] == "-: no errors, 2 warnings"


def test_a_clean_program(tmp_path: Path) -> None:
    result = check(ROOT / "examples" / "01-iris" / "program.sql")
    assert result.exit_code == 0
    assert result.stdout.endswith("program.sql: no errors, no warnings\n")


def test_the_dialect_decides() -> None:
    text = "SELECT `a` FROM t # b;\n;"
    assert check("-", "--dialect", "mariadb", text=text).exit_code == 0
    assert [one["statement"] for one in findings("-", "--dialect", "mysql", text="SELECT 'a")] == [1]


def test_an_empty_program_is_worth_a_warning() -> None:
    result = check("-", text="-- nothing\n")
    assert (result.exit_code, "warning[empty-program]" in result.stdout) == (0, True)


def test_json(bad: Path) -> None:
    result = check(bad, "--format", "json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert (report["file"], report["errors"], report["warnings"]) == ("bad one.sql", 2, 0)
    assert report["findings"][0] == {
        "severity": "error",
        "code": "unknown-attribute",
        "message": "unknown attribute `max_dept` of xgboost.gbtree",
        "hint": "Did you mean `max_depth`?",
        "line": 4,
        "column": 6,
        "job": None,
        "statement": 2,
        "program_line": 4,
        "program_column": 6,
    }


def test_sarif(bad: Path) -> None:
    result = check(bad, "--format", "sarif")
    assert result.exit_code == 1
    log = json.loads(result.stdout)
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "sqlflow"
    rules = [rule["id"] for rule in driver["rules"]]
    assert rules == ["attribute-wrong-type", "unknown-attribute"]
    assert all(rule["shortDescription"]["text"] for rule in driver["rules"])
    for each in run["results"]:
        assert rules[each["ruleIndex"]] == each["ruleId"]
        assert each["level"] in ("error", "warning")
        assert each["message"]["text"]
    physical = run["results"][0]["locations"][0]["physicalLocation"]
    assert physical == {"artifactLocation": {"uri": "bad%20one.sql"}, "region": {"startLine": 4, "startColumn": 6}}
    assert run["columnKind"] == "unicodeCodePoints"


def test_sarif_without_findings_has_an_empty_list() -> None:
    (run,) = json.loads(check("-", "--format", "sarif", text="SELECT 1").stdout)["runs"]
    assert (run["results"], run["tool"]["driver"]["rules"]) == ([], [])


def test_every_job_of_a_manifest_with_its_dialect() -> None:
    good = job(block("SELECT `a` FROM t;\n"), name="good", dialect="mysql")
    listed = {"kind": "List", "items": []}
    text = f"{good}---\n{job(block(BAD), name='bad')}---\n{json.dumps(listed)}\n---\nkind: ConfigMap\n"
    result = check("-", text=text)
    assert result.exit_code == 1
    line = text.splitlines().index("    WITH max_dept=3, eta='x'") + 1
    assert f" --> -:{line}:10, bad, statement 2 (4:6 of its program)" in result.stdout
    first, second = findings("-", text=text)
    assert (first["job"], first["line"], first["column"]) == ("bad", line, 10)
    assert (first["program_line"], first["program_column"]) == (4, 6)
    assert second["column"] == 26


@pytest.mark.parametrize(
    ("program", "place"),
    [
        ("|  # comment\n\n    SELECT 1;\n\n      SELECT 'a\n", (11, 14)),
        ("|2\n      SELECT 'a\n", (8, 14)),
        ("&p |-\n    SELECT 1;\r\n    SELECT 'a", (9, 12)),
        ("SELECT 1 TO PREDICT x USING m", (7, 32)),
        ("'SELECT 1 TO PREDICT x USING m'", (7, 33)),
        # Folded or escaped: where the program starts.
        (">\n    SELECT 1;\n\n    SELECT 1 TO PREDICT x USING m\n", (7, 12)),
        ('"SELECT 1;\\nSELECT 1 TO PREDICT x USING m"', (7, 12)),
        ('"\\u0053ELECT 1 TO PREDICT x USING m"', (7, 12)),
    ],
)
def test_the_manifests_own_line(program: str, place: tuple[int, int]) -> None:
    (one,) = findings("-", text=job(program))
    assert one["severity"] == "error"
    assert (one["line"], one["column"]) == place


def test_items_of_a_list() -> None:
    items = textwrap.indent(job("SELECT 'a"), "  ").replace("  apiVersion", "- apiVersion", 1)
    (one,) = findings("-", text=f"apiVersion: v1\nkind: List\nitems:\n{items}")
    assert (one["job"], one["line"], one["column"]) == ("a", 10, 21)


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("dialect: postgres", "dialect: klingon"), 5, "spec.dialect: input should be 'postgres'"),
        (("secretRef", "secret"), 6, "spec.dataSource.secretRef: field required"),
        (("  dialect: postgres", "  retires: 3"), 5, "spec.retires: there is no such field"),
        (("  dialect: postgres", "  retries: 11"), 5, "spec.retries: input should be less than or equal to 10"),
        (("  dialect: postgres", "  env: [{name: A, value: 5}]"), 5, "spec.env[0].value: input should be a valid"),
        (("name: a", "labels: {}"), 3, "metadata.name: the job needs a name"),
        (("name: a", "name: A_b"), 3, "metadata.name: 'A_b' is no Kubernetes name"),
        (("program: SELECT 1", "program: '--'"), 7, "the program has no statement"),
    ],
)
def test_what_the_api_server_would_refuse(change: tuple[str, str], line: int, words: str) -> None:
    result = check("-", "--format", "json", text=job("SELECT 1").replace(*change))
    assert result.exit_code == 1
    (one,) = json.loads(result.stdout)["findings"]
    assert one["message"].startswith(words)
    assert one["line"] == line


FOLDED = """apiVersion: sqlflow.org/v1alpha1
kind: SQLFlowJob
metadata: {name: a}
spec:
  dataSource: {secretRef: {name: s}}
  program: MARK
    CREATE TABLE a (x int);
    -- it's filled here
    INSERT INTO a VALUES (1);

    SELECT * FROM a;
"""


@pytest.mark.parametrize("mark", [">", ">-", ">+", "'SELECT 1;", "SELECT 1;"])
def test_a_comment_in_folded_yaml(mark: str) -> None:
    """`program: >` joins the lines, and the comment swallows the statement after it."""
    text = FOLDED.replace("MARK", mark)
    if mark[0] == "'":
        text = text.replace("it's", "it''s").rstrip() + "'\n"
    (one,) = findings("-", text=text)
    assert one["code"] == "folded-program"
    assert "program: |" in one["hint"]
    result = CliRunner().invoke(app, ["render", "-", "--backend", "job"], input=text)
    assert (result.exit_code, "program: |" in result.stderr) == (1, True)


@pytest.mark.parametrize("mark", ["|", "|-", "|2"])
def test_a_comment_in_literal_yaml(mark: str) -> None:
    assert findings("-", text=FOLDED.replace("MARK", mark)) == []


def test_a_comment_that_folding_leaves_alone() -> None:
    text = FOLDED.replace("MARK", ">").replace("    INSERT", "\n    INSERT")
    assert findings("-", text=text) == []
    assert findings("-", text=job("|\n    SELECT 1; -- then INSERT INTO a SELECT 2; and more;")) == []


def test_what_cannot_run_is_an_error() -> None:
    result = check("-", text="SELECT 1;\nSELECT * FROM t\nTO RUN team/image:1;")
    assert result.exit_code == 1
    assert "error[missing-clause]: TO RUN needs CMD and a program after it" in result.stdout
    assert "-:3:8, statement 2" in result.stdout


def test_dates_and_times_are_text_as_in_kubernetes() -> None:
    text = job("SELECT 1") + "  rerunToken: 2024-01-01\n  env: [{name: A, value: 12:30}]\n"
    assert findings("-", text=text) == []


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "a: !x 1", "a: \x00", "[" * 5000, "&a [*a", "? [a]\n: 1\n? {}: 1"])
def test_no_yaml(tmp_path: Path, text: str) -> None:
    file = tmp_path / "job.yaml"
    file.write_text(text)
    result = check(file)
    assert result.exit_code == 1
    assert "error[invalid-yaml]" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "text", "words"),
    [
        (["nowhere.sql"], "", "cannot read nowhere.sql"),
        (["-", "--dialect", "klingon"], "SELECT 1", "unknown SQL dialect `klingon`"),
        (["-"], "apiVersion: v1\nkind: Pod\n", "holds no SQLFlowJob"),
        (["-", "--dialect", "mysql"], job("SELECT 1"), "spec.dialect"),
    ],
)
def test_usage(arguments: list[str], text: str, words: str) -> None:
    result = check(*arguments, text=text)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_text_that_is_no_utf8(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_bytes(b"SELECT '\xff'")
    assert "cannot read" in check(tmp_path / "a.sql").stderr


def test_the_program_does_not_steer_the_terminal() -> None:
    result = check("-", text="SELECT 1 TO TRAIN xgboost.gbtree WITH `\x1b[31m`=1 LABEL y INTO m")
    assert result.exit_code == 1
    assert "\x1b" not in result.stdout


UNKNOWN_FUNCTION = "SELECT 1; SELECT tax(1); SELECT 2;"


def codes(*arguments: str, text: str) -> list[str]:
    return [finding["code"] for finding in findings("-", *arguments, text=text)]


@pytest.mark.parametrize(("ordering", "expected"), [("Conservative", ["not-understood"]), ("Lineage", [])])
def test_the_ordering_decides_which_statements_run_alone(ordering: str, expected: list[str]) -> None:
    assert codes("--ordering", ordering.lower(), text=UNKNOWN_FUNCTION) == expected
    assert codes(text=job(block(UNKNOWN_FUNCTION)) + f"  ordering: {ordering}\n") == expected


def test_off_without_quotes_is_no_text_in_yaml() -> None:
    (found,) = findings("-", text=job("SELECT 1") + "  fusion: Off\n")
    assert (found["message"], found["line"]) == ("spec.fusion: input should be 'Auto' or 'Off'", 8)
    assert "quotes" in found["hint"]
    assert findings("-", text=job("SELECT 1") + "  fusion: 'Off'\n") == []
