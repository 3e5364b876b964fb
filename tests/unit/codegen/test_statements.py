"""Every model statement and clause, and what is said about a wrong one."""

from __future__ import annotations

from typing import Any

import pytest
from sqlflow_codegen.errors import SQLFlowError
from sqlflow_codegen.language import DIALECTS, normalize_dialect, parse_program
from sqlflow_codegen.language.ir import (
    Binary,
    Call,
    EvaluateStatement,
    ExplainStatement,
    Name,
    NumberLiteral,
    OptimizeStatement,
    PredictStatement,
    RunStatement,
    ShowTrainStatement,
    SqlStatement,
    Statement,
    TrainStatement,
    Unary,
)


def one(program: str, dialect: str = "postgres") -> Any:
    (statement,) = parse_program(program, dialect)
    return statement


def test_train() -> None:
    statement = one(
        "SELECT * FROM iris.train -- comment\n"
        "to Train xgboost.gbtree with objective = 'multi:softmax', num_class=3\n"
        "column a, BUCKET(b, [1, 2]) label class using old into new"
    )
    assert isinstance(statement, TrainStatement)
    assert statement.select == "SELECT * FROM iris.train"
    assert (statement.estimator.text, statement.title) == ("xgboost.gbtree", "TO TRAIN xgboost.gbtree INTO new")
    assert [(a.name, a.value) for a in statement.attributes] == [("objective", "multi:softmax"), ("num_class", 3)]
    assert statement.label is not None
    assert statement.using is not None
    assert (statement.label.text, statement.using.text, statement.into.text) == ("class", "old", "new")
    assert str(statement.into.span) == "3:56"


def test_train_without_label_is_unsupervised() -> None:
    statement = one("SELECT a FROM t TO TRAIN sklearn.KMeans WITH n_clusters=3 INTO m")
    assert statement.label is None


def test_predict() -> None:
    statement = one("SELECT * FROM t TO PREDICT db.result.class WITH predict.extra_outputs='score' USING m")
    assert isinstance(statement, PredictStatement)
    assert (statement.result_table, statement.result_column) == ("db.result", "class")
    assert (statement.using.text, statement.title) == ("m", "TO PREDICT db.result.class USING m")


def test_evaluate() -> None:
    statement = one("SELECT * FROM t TO EVALUATE m WITH validation.metrics='f1_score' LABEL class INTO db.scores")
    assert isinstance(statement, EvaluateStatement)
    assert statement.into is not None
    assert (statement.model.text, statement.label.text, statement.into.text) == ("m", "class", "db.scores")


def test_evaluate_may_go_without_into() -> None:
    assert one("SELECT * FROM t TO EVALUATE m LABEL class").into is None


def test_explain() -> None:
    statement = one("SELECT * FROM t TO EXPLAIN m WITH summary.plot_type='bar' USING TreeExplainer INTO db.t")
    assert isinstance(statement, ExplainStatement)
    assert statement.explainer is not None
    assert statement.into is not None
    assert (statement.model.text, statement.explainer.text, statement.into.text) == ("m", "TreeExplainer", "db.t")
    bare = one("SELECT * FROM t TO EXPLAIN m")
    assert (bare.explainer, bare.into) == (None, None)


def test_run() -> None:
    statement = one("SELECT * FROM t TO RUN hub:5000/a/b:1.0 CMD 'x.py', \"--a=it's\" INTO t1, db.t2")
    assert isinstance(statement, RunStatement)
    assert (statement.image.text, statement.command) == ("hub:5000/a/b:1.0", ("x.py", "--a=it's"))
    assert [name.text for name in statement.into] == ["t1", "db.t2"]
    assert one("SELECT 1 TO RUN a/b").command == ()


def test_show_train() -> None:
    statement = one("show train hub:1/db.model:tag")
    assert isinstance(statement, ShowTrainStatement)
    assert (statement.model.text, statement.kind, statement.title) == (
        "hub:1/db.model:tag",
        "show",
        "SHOW TRAIN hub:1/db.model:tag",
    )


@pytest.mark.parametrize("text", ["SHOW TABLES", "SHOW TRAINS x", "SHOW 1a", "SHOW `a", "SHOW"])
def test_other_show_is_plain_sql(text: str) -> None:
    assert isinstance(one(text), SqlStatement)


def test_optimize() -> None:
    statement = one(
        "SELECT * FROM w TO MAXIMIZE SUM((price - cost) * product)\n"
        "CONSTRAINT SUM(finishing * product) <= 100 GROUP BY name, product <= max_num\n"
        "WITH variables='product', var_type='NonNegativeIntegers' USING glpk INTO db.result"
    )
    assert isinstance(statement, OptimizeStatement)
    assert (statement.direction, statement.title, statement.into.text) == (
        "maximize",
        "TO MAXIMIZE … INTO db.result",
        "db.result",
    )
    assert statement.solver is not None
    assert statement.solver.text == "glpk"
    assert isinstance(statement.objective, Call)
    product = statement.objective.args[0]
    assert isinstance(product, Binary)
    assert (product.operator, shown(product)) == ("*", "((price - cost) * product)")
    assert [shown(c.expression) for c in statement.constraints] == [
        "(SUM((finishing * product)) <= 100)",
        "(product <= max_num)",
    ]
    assert [c.group_by and c.group_by.text for c in statement.constraints] == ["name", None]


def shown(expression: Any) -> str:
    match expression:
        case Binary(operator, left, right):
            return f"({shown(left)} {operator} {shown(right)})"
        case Unary(operator, operand):
            return f"({operator} {shown(operand)})"
        case Call(name, args):
            return f"{name}({', '.join(map(shown, args))})"
        case NumberLiteral(value):
            return str(value)
        case Name(text):
            return text
    return f"'{expression.value}'"


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a + b * c", "(a + (b * c))"),
        ("a - b - c", "((a - b) - c)"),
        ("a - (b - c)", "(a - (b - c))"),
        ("-a * b", "((- a) * b)"),
        ("- - 1.5e3", "(- (- 1500.0))"),
        ("a/2 + b%3", "((a / 2) + (b % 3))"),
        ("SUM(a*b)+sum(c)", "(SUM((a * b)) + sum(c))"),
        ("t.a*'my column'", "(t.a * 'my column')"),
        ("a*-b", "(a * (- b))"),
    ],
)
def test_expressions(text: str, tree: str) -> None:
    statement = one(f"SELECT 1 TO MINIMIZE {text} WITH variables='a', var_type=Reals INTO t")
    assert shown(statement.objective) == tree


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1",
        "(SELECT 1)",
        "((SELECT 1) UNION SELECT 2)",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "SELECT a FROM t UNION ALL SELECT b FROM s",
        "VALUES (1), (2)",
        "FROM t SELECT a",
        "SELECT ' TO TRAIN x ' AS \"TO TRAIN\"",
        "SELECT /* TO TRAIN x */ 1",
        "SELECT (SELECT a FROM b WHERE c = 'TO TRAIN')",
        "SELECT INTERVAL '1-2' YEAR TO MONTH",
        "SELECT CASE WHEN 1 THEN 2 END",
    ],
)
@pytest.mark.parametrize("between", [" ", "\n-- it's a comment\n", "/* ; */", "\r\n\t"])
def test_the_query_is_the_exact_text_before_to(query: str, between: str) -> None:
    statement = one(f"{query}{between}TO{between}TRAIN image/Own INTO m;")
    assert statement.select == query
    assert statement.select_span.end == len(query)


@pytest.mark.parametrize(
    "text",
    [
        "GRANT SELECT ON t TO train",
        "GRANT a TO run",
        "ALTER TABLE a RENAME TO train",
        "ALTER TABLE a RENAME TO predict",
        "REVOKE GRANT OPTION FOR SELECT ON t FROM run",
        "COPY (SELECT 1 TO TRAIN) TO 'x'",
        "INSERT INTO t SELECT 1 TO TRAIN",
        "SET search_path TO train",
        "SELECT a AS to, train FROM t",
        "SELECT t.to train FROM t",
        "SELECT INTERVAL '1-2' YEAR TO MONTH",
        "SELECT INTERVAL '1' DAY TO SECOND FROM t",
        "SELECT (SELECT 1 TO TRAIN m)",
        "EXPLAIN SELECT 1",
        "SELECT 1 FOR SYSTEM_TIME FROM a TO b",
        "SELECT $to$ TO TRAIN $to$",
        "SELECT auto TRAIN FROM t",
        "SELECT 1 TO TRAINS",
    ],
)
def test_plain_sql_stays_plain(text: str) -> None:
    statement = one(text)
    assert isinstance(statement, SqlStatement)
    assert statement.text == text


def test_statements_of_a_program_keep_their_numbers() -> None:
    program = parse_program("SELECT 1;; SELECT 2 TO TRAIN i/o INTO m; SELECT 3")
    assert [(statement.number, statement.kind) for statement in program] == [(1, "sql"), (2, "train"), (3, "sql")]
    assert program.statement(2).text == "SELECT 2 TO TRAIN i/o INTO m"
    with pytest.raises(IndexError):
        program.statement(4)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_takes_every_statement(dialect: str) -> None:
    program = parse_program(
        "SELECT a FROM t TO TRAIN sklearn.svm.SVC WITH C=0.5 COLUMN a LABEL 'b' INTO m;"
        "SELECT a FROM t TO PREDICT r.b USING m;"
        "SELECT a FROM t TO EVALUATE m LABEL b INTO e;"
        "SELECT a FROM t TO EXPLAIN m INTO x;"
        "SELECT a FROM t TO RUN image/x CMD 'y';"
        "SELECT a FROM t TO MAXIMIZE SUM(a) WITH variables='a', var_type='Reals' INTO o;"
        "SHOW TRAIN m",
        dialect,
    )
    kinds = [statement.kind for statement in program]
    assert kinds == ["train", "predict", "evaluate", "explain", "run", "optimize", "show"]
    assert program.dialect == dialect
    assert all(isinstance(statement, Statement) for statement in program)


@pytest.mark.parametrize(
    ("name", "canonical"),
    [("PostgreSQL", "postgres"), ("postgresql+psycopg", "postgres"), ("mariadb", "mysql"), ("MaxCompute", "hive")],
)
def test_dialect_names(name: str, canonical: str) -> None:
    assert normalize_dialect(name) == canonical


def test_unknown_dialect() -> None:
    with pytest.raises(SQLFlowError, match=r"unknown SQL dialect `postgrse`.*Did you mean `postgres`\?"):
        parse_program("SELECT 1", "postgrse")
