"""What is refused, or warned of, before a program runs."""

from __future__ import annotations

import pytest
from sqlflow_codegen.errors import ProgramError
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.language.ir import OptimizeStatement
from sqlflow_codegen.language.optimization import read_variables

REGRESSION = "WITH objective='reg:squarederror'"


def findings(program: str) -> list[tuple[str, str, str, str]]:
    """Severity, code, message and hint of all that is found, errors or not."""
    try:
        diagnostics = parse_program(program).warnings
    except ProgramError as error:
        diagnostics = error.diagnostics
    return [(one.severity, one.code, one.message, one.hint) for one in diagnostics]


@pytest.mark.parametrize(
    ("statement", "severity", "code", "message", "hint"),
    [
        (
            "TO TRAIN xgboost.gbtree WITH max_dept=3 LABEL y INTO m",
            "error",
            "unknown-attribute",
            "unknown attribute `max_dept` of xgboost.gbtree",
            "Did you mean `max_depth`?",
        ),
        (
            "TO TRAIN xgboost.gbtree WITH num_class='3' LABEL y INTO m",
            "error",
            "attribute-wrong-type",
            "attribute `num_class` of xgboost.gbtree must be int [2, 2147483647], not '3'",
            "Take off the quotes.",
        ),
        (
            "TO TRAIN xgboost.gbtree WITH eta=true LABEL y INTO m",
            "error",
            "attribute-wrong-type",
            "attribute `eta` of xgboost.gbtree must be float [0, 1], not true",
            "",
        ),
        (
            "TO TRAIN xgboost.gbtree WITH max_depth=-1 LABEL y INTO m",
            "error",
            "attribute-out-of-range",
            "attribute `max_depth` of xgboost.gbtree must be int [0, 2147483647], not -1",
            "",
        ),
        (
            "TO TRAIN xgboost.gbtree WITH max_depth=[1, 2] LABEL y INTO m",
            "error",
            "attribute-wrong-type",
            "attribute `max_depth` of xgboost.gbtree must be int [0, 2147483647], not [1, 2]",
            "",
        ),
        (
            "TO TRAIN sklearn.svm.SVC WITH kernel=polly LABEL y INTO m",
            "error",
            "attribute-out-of-range",
            "attribute `kernel` of sklearn.svm.SVC must be one of linear, poly, precomputed, rbf, sigmoid, not 'polly'",
            "Did you mean `poly`?",
        ),
        (
            "TO TRAIN xgboost.gbtreee LABEL y INTO m",
            "warning",
            "unknown-estimator",
            "unknown estimator `xgboost.gbtreee`: its attributes are not checked",
            "Did you mean `xgboost.gbtree`?",
        ),
        (
            "TO TRAIN DNNClassifier LABEL y INTO m",
            "error",
            "attribute-conflict",
            "attribute `model.hidden_units` of DNNClassifier is missing",
            "Write model.hidden_units=[10, 20].",
        ),
        (
            "TO TRAIN sklearn.pipeline.Pipeline LABEL y INTO m",
            "error",
            "attribute-conflict",
            "attribute `steps` of sklearn.pipeline.Pipeline must be there: it names other estimators",
            'Name them, separated by commas: steps="StandardScaler, SVC".',
        ),
        (
            "TO TRAIN sklearn.DBSCAN INTO m",
            "error",
            "unusable-estimator",
            "sklearn.DBSCAN cannot be trained: it groups the rows that it learned from, and cannot predict others",
            "",
        ),
        (
            "TO TRAIN sklearn.LocalOutlierFactor INTO m",
            "error",
            "attribute-conflict",
            "attribute `novelty` of sklearn.neighbors.LocalOutlierFactor must be true: "
            "without it there is no prediction",
            "Add novelty=true.",
        ),
        (
            "TO TRAIN sklearn.SVC LABEL y USING old INTO m",
            "error",
            "unexpected-clause",
            "sklearn.svm.SVC cannot go on from a model",
            "Leave USING out, or use an estimator of xgboost or lightgbm.",
        ),
        (
            "TO TRAIN XGBRegressor WITH early_stopping_rounds=3 LABEL y INTO m",
            "error",
            "attribute-conflict",
            "attribute `early_stopping_rounds` of xgboost.XGBRegressor has nothing to measure on",
            'Add validation.select="SELECT ..".',
        ),
        (
            "TO TRAIN sklearn.SVC INTO m",
            "error",
            "missing-clause",
            "sklearn.svm.SVC needs a LABEL: it learns from examples",
            "Write LABEL column before INTO.",
        ),
        (
            "TO TRAIN xgboost.gbtree WITH booster=dart LABEL y INTO m",
            "error",
            "attribute-out-of-range",
            "booster `dart` contradicts xgboost.gbtree",
            "Write TO TRAIN xgboost.dart.",
        ),
        (
            "TO TRAIN xgboost.gbtree WITH validation.select='iris.test' LABEL y INTO m",
            "error",
            "attribute-wrong-type",
            "`validation.select` must be a query",
            "Write validation.select='SELECT ..'.",
        ),
        (
            "TO TRAIN xgboost.gbtree COLUMN EMBEDDING(a, 8) LABEL y INTO m",
            "error",
            "unsupported-column",
            "xgboost.gbtree does not support EMBEDDING: only neural networks do",
            "Use INDICATOR: one column of 0 and 1 for each category.",
        ),
        (
            "TO TRAIN sklearn.svm.SVC COLUMN CROSS([a, b], 8), SEQ_CATEGORY_ID(c, 8) LABEL y INTO m",
            "error",
            "unsupported-column",
            "sklearn.svm.SVC does not support SEQ_CATEGORY_ID: only neural networks do",
            "Use INDICATOR(CATEGORY_ID(SPARSE(column, ..), size)), if the order does not matter.",
        ),
        (
            "TO TRAIN XGBRegressor COLUMN WEIGHTED_CATEGORY(CATEGORY_HASH(SPARSE(a), 8)) LABEL y INTO m",
            "error",
            "unsupported-column",
            "xgboost.XGBRegressor does not support WEIGHTED_CATEGORY: only neural networks do",
            "Write SPARSE(column, ..): its values count as they are.",
        ),
        (
            "TO TRAIN xgboost.gbtree COLUMN a FOR x COLUMN b FOR y LABEL y INTO m",
            "error",
            "unsupported-column",
            "xgboost.gbtree takes one set of columns, not several",
            "List all columns in one COLUMN clause.",
        ),
        (
            "TO TRAIN xgboost.gbtree COLUMN '[*' LABEL y INTO m",
            "warning",
            "invalid-pattern",
            "`[*` is no regular expression: unterminated character set at position 0",
            "It can only be the name of one column.",
        ),
        (
            "TO EVALUATE m WITH validation.metrics='acuracy_score' LABEL y",
            "warning",
            "unknown-metric",
            "unknown metric `acuracy_score`",
            "Did you mean `accuracy_score`?",
        ),
        (
            "TO PREDICT t.y WITH predict.extra_output='a' USING m",
            "warning",
            "unknown-attribute",
            "unknown attribute `predict.extra_output` of TO PREDICT",
            "Did you mean `predict.extra_outputs`?",
        ),
        (
            "TO EXPLAIN m USING TreeExplaner",
            "warning",
            "unknown-explainer",
            "unknown explainer `TreeExplaner`: SHAP chooses one",
            "Did you mean `TreeExplainer`?",
        ),
        (
            "TO EXPLAIN m USING XGBoostExplainer",
            "error",
            "missing-clause",
            "XGBoostExplainer needs INTO: its result is a table",
            "Write USING XGBoostExplainer INTO table.",
        ),
        (
            "TO EXPLAIN m WITH summary.plot_type=voilin",
            "error",
            "attribute-out-of-range",
            "attribute `summary.plot_type` of TO EXPLAIN must be one of bar, dot, violin, layered_violin, decision,"
            " force, waterfall, not 'voilin'",
            "Did you mean `violin`?",
        ),
    ],
)
def test_findings(statement: str, severity: str, code: str, message: str, hint: str) -> None:
    assert findings(f"SELECT a, b, y FROM t {statement}") == [(severity, code, message, hint)]


@pytest.mark.parametrize(
    "statement",
    [
        "TO TRAIN xgboost.gbtree WITH objective='multi:softmax', num_class=3, eta=0, max_depth=0 LABEL y INTO m",
        "TO TRAIN xgboost.XGBRanker WITH eval_metric=['ndcg', 'map'] LABEL y INTO m",
        "TO TRAIN sklearn.ensemble.RandomForestClassifier WITH max_features=none, max_depth=None LABEL y INTO m",
        "TO TRAIN sklearn.ensemble.RandomForestClassifier WITH max_features=0.5, min_samples_leaf=2 LABEL y INTO m",
        "TO TRAIN sklearn.neural_network.MLPClassifier WITH hidden_layer_sizes=[10, 20] LABEL y INTO m",
        "TO TRAIN sklearn.KMeans WITH n_clusters=3 INTO m",
        "TO TRAIN sklearn.LocalOutlierFactor WITH novelty=true INTO m",
        "TO TRAIN registry:5000/own/image:1.0/AnyClass WITH anything=1 COLUMN EMBEDDING(a, 8) INTO m",
        "TO TRAIN xgboost.gbtree COLUMN '[[a]', 'a{2}|b' LABEL y INTO m",
        "TO EXPLAIN m WITH summary.plot_type=bar, summary.sort=true, summary.alpha=1",
        "TO EVALUATE m WITH validation.metrics='accuracy_score, f1_score' LABEL y",
    ],
)
def test_nothing_is_found(statement: str) -> None:
    assert findings(f"SELECT a, b, y FROM t {statement}") == []


def test_metrics_of_a_known_model_are_errors() -> None:
    program = "SELECT a FROM t TO TRAIN sklearn.SVC LABEL y INTO m; SELECT a FROM t TO EVALUATE m {} LABEL y"
    (found,) = findings(program.format("WITH validation.metrics='f1_score,nonsense'"))
    assert found[:3] == ("error", "unknown-metric", "unknown metric `nonsense`")


def test_a_model_that_is_trained_later() -> None:
    program = "SELECT a FROM t TO PREDICT r.y USING m; SELECT a FROM t TO TRAIN sklearn.SVC LABEL y INTO m"
    (found,) = findings(program)
    assert found[:3] == ("warning", "model-order", "model `m` is trained only later, by statement 2")
    assert findings("SELECT a FROM t TO TRAIN sklearn.SVC LABEL y INTO m; " + program)[:1] == []


@pytest.mark.parametrize(
    ("clauses", "code", "message"),
    [
        ("x WITH var_type=Reals", "missing-attribute", "TO MAXIMIZE needs attribute `variables`"),
        ("x WITH variables='x'", "missing-attribute", "TO MAXIMIZE needs attribute `var_type`"),
        ("x WITH variables='x(', var_type=Reals", "attribute-wrong-type", "`variables` names no variable"),
        ("x WITH variables='', var_type=Reals", "attribute-wrong-type", "`variables` names no variable"),
        ("x WITH variables='a,b', var_type=Reals", "attribute-out-of-range", "several variables need a result name"),
        ("x WITH variables='a(a,b)', var_type=Reals", "attribute-out-of-range", "several variables need a result name"),
        ("x WITH variables=['a(p)', 'b(q)'], var_type=Reals", "attribute-wrong-type", "`variables` names no variable"),
        ("x WITH variables=['a(p)', 'A(p)'], var_type=Reals", "attribute-out-of-range", "the columns of the result"),
        (
            "x WITH variables=['a(p)'], var_type=[Reals, Reals]",
            "attribute-out-of-range",
            "`var_type` must be a list of 1",
        ),
        ("x WITH variables='x', var_type=Reals USING cplex", "unknown-solver", "there is no solver `cplex`"),
        ("x WITH variables='x', var_type=Reals, solver.tm=1", "unknown-attribute", "unknown attribute `solver.tm`"),
        (
            "x WITH variables='x', var_type=Reals, solver.time_limit=0",
            "attribute-out-of-range",
            "attribute `solver.time_limit` of TO MAXIMIZE must be float (0, inf)",
        ),
        ("x WITH variables='x', var_type=Natural", "attribute-out-of-range", "attribute `var_type` of TO MAXIMIZE"),
        ("x WITH variables='x', var_type=Reals, y=1", "unknown-attribute", "unknown attribute `y` of TO MAXIMIZE"),
        ("x > 1 WITH variables='x', var_type=Reals", "invalid-expression", "an objective is a number"),
        ("AVG(x) WITH variables='x', var_type=Reals", "invalid-expression", "TO MAXIMIZE cannot have the function AVG"),
        ("x CONSTRAINT x WITH variables='x', var_type=Reals", "invalid-expression", "a constraint must compare"),
        (
            "x CONSTRAINT x<1 AND x>0 WITH variables='x', var_type=Reals",
            "invalid-expression",
            "a constraint cannot have",
        ),
        (
            "x CONSTRAINT x<1 GROUP BY y WITH variables='x', var_type=Reals",
            "invalid-expression",
            "GROUP BY needs a SUM",
        ),
    ],
)
def test_optimize(clauses: str, code: str, message: str) -> None:
    found = [one for one in findings(f"SELECT * FROM t TO MAXIMIZE {clauses} INTO r") if one[0] == "error"]
    assert [one[1] for one in found] == [code]
    assert found[0][2].startswith(message)


@pytest.mark.parametrize(
    ("text", "names", "result"),
    [("product", ("product",), "product_value"), (" v ( a , b ) ", ("a", "b"), "v"), ("v(a)", ("a",), "v")],
)
def test_variables(text: str, names: tuple[str, ...], result: str) -> None:
    program = f"SELECT * FROM t TO MAXIMIZE x WITH variables='{text}', var_type=Reals INTO r"
    (statement,) = parse_program(program)
    assert isinstance(statement, OptimizeStatement)
    variables = read_variables(statement.attributes)
    assert variables is not None
    assert (variables.columns, variables.results) == (names, (result,))
