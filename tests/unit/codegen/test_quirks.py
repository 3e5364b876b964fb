"""Defects of SQLFlow's language that are mended here, each named by its test."""

from __future__ import annotations

from typing import Any

import pytest
from sqlflow_codegen.catalogue import find_estimator
from sqlflow_codegen.errors import ProgramError
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.language.ir import Binary, Call, ColumnStar, OptimizeStatement, TrainStatement


def train(rest: str, dialect: str = "mysql") -> TrainStatement:
    (statement,) = parse_program(f"SELECT * FROM t TO TRAIN {rest}", dialect)
    assert isinstance(statement, TrainStatement)
    return statement


def value(text: str, dialect: str = "mysql") -> Any:
    return train(f"image/Own WITH a={text} INTO m", dialect).attributes[0].value


def optimize(objective: str, constraint: str = "x <= 1") -> OptimizeStatement:
    program = (
        f"SELECT * FROM t TO MAXIMIZE {objective} CONSTRAINT {constraint} WITH variables='x', var_type=Reals INTO r"
    )
    (statement,) = parse_program(program, "mysql")
    assert isinstance(statement, OptimizeStatement)
    return statement


def errors(program: str, dialect: str = "mysql") -> list[tuple[str, str]]:
    with pytest.raises(ProgramError) as caught:
        parse_program(program, dialect)
    return [(one.code, f"{one.line}:{one.column}") for one in caught.value.diagnostics if one.severity == "error"]


# -- the lexer


@pytest.mark.parametrize(("text", "operator"), [("x/1000", "/"), ("a-x", "-"), ("a*-x", "*"), ("x:y", None)])
def test_operators_need_no_blanks_in_expressions(text: str, operator: str | None) -> None:
    if operator is None:
        program = f"SELECT 1 TO MAXIMIZE {text} WITH variables='x', var_type=Reals INTO r"
        assert errors(program) == [("syntax-error", "1:23")]
        return
    objective = optimize(text).objective
    assert isinstance(objective, Binary)
    assert objective.operator == operator


def test_names_with_dashes_and_slashes_are_still_one_word_elsewhere() -> None:
    statement = train("hub:5000/u/my-img:1.0/Cls WITH a=reg:squarederror INTO my-model")
    assert (statement.estimator.text, statement.into.text) == ("hub:5000/u/my-img:1.0/Cls", "my-model")


@pytest.mark.parametrize("text", ['"it\'s"', "'it''s'", r"'it\'s'", '"say \\"it\'s\\""'])
def test_a_string_ends_at_its_own_quote(text: str) -> None:
    assert "it's" in value(text)


def test_escapes_are_decoded() -> None:
    assert value(r"'a\tb\\c\n'") == "a\tb\\c\n"


def test_an_apostrophe_in_a_comment_opens_no_quote() -> None:
    program = "-- it's\nSELECT 1 /* don't */; -- can't\nSELECT 2 TO TRAIN i/O INTO m -- won't; \n"
    assert [statement.kind for statement in parse_program(program, "mysql")] == ["sql", "train"]


def test_comments_behind_quotes_are_comments() -> None:
    statement = train("i/O WITH a='x' -- LABEL y\n /* INTO z */ INTO m")
    assert (statement.label, statement.into.text) == (None, "m")


def test_hash_comments_where_the_dialect_has_them() -> None:
    assert train("i/O # LABEL y\n INTO m").label is None


@pytest.mark.parametrize(("text", "number"), [(".5", 0.5), ("0.", 0.0), ("1.", 1.0), ("-.5e2", -50.0)])
def test_numbers_without_digits_on_one_side(text: str, number: float) -> None:
    assert value(text) == number


def test_lists_of_floats_as_the_documentation_writes_them() -> None:
    assert value("[0., 1., -2.5]") == (0.0, 1.0, -2.5)


@pytest.mark.parametrize("name", ["_id", "`1st`", '"2nd"', "été"])
def test_names_may_begin_with_any_character(name: str) -> None:
    statement = train(f"i/O COLUMN {name} LABEL {name} INTO m")
    assert statement.label is not None
    assert statement.label.text == name.strip('`"')


def test_the_last_semicolon_is_optional() -> None:
    assert train("i/O INTO m").into.text == "m"


def test_text_of_two_characters_backslash_n_stays() -> None:
    (statement,) = parse_program(r"SELECT 'a\nb' AS x", "postgres")
    assert statement.text == r"SELECT 'a\nb' AS x"


# -- values


@pytest.mark.parametrize(("text", "number"), [("-1", -1), ("-1.5", -1.5), ("+3", 3)])
def test_negative_numbers(text: str, number: float) -> None:
    assert value(text) == number


def test_a_decimal_keeps_its_precision() -> None:
    assert value("0.1234567890123") == 0.1234567890123


@pytest.mark.parametrize("text", ["(1)", "1 + 2", "NOT x", "f(1)"])
def test_values_that_cannot_be_are_told_with_their_place(text: str) -> None:
    (found,) = errors(f"SELECT * FROM t TO TRAIN i/O WITH a={text} INTO m")
    assert found[0] == "syntax-error"
    assert 37 <= int(found[1].partition(":")[2]) <= 41


def test_a_repeated_attribute_is_told_with_both_places() -> None:
    with pytest.raises(ProgramError) as caught:
        train("i/O WITH a=1, b=2,\n a=3 INTO m")
    (one,) = caught.value.diagnostics
    assert (one.code, one.line, one.column) == ("duplicate-attribute", 2, 2)
    assert "1:35" in one.hint


# -- clauses


@pytest.mark.parametrize("rest", ["i/O INTO z", "i/O COLUMN a LABEL y INTO z", "i/O COLUMN a INTO z"])
def test_neither_with_nor_label_is_needed_for_column_and_into(rest: str) -> None:
    assert train(rest).into.text == "z"


def test_a_repeated_target_overwrites_nothing() -> None:
    assert errors("SELECT 1 TO TRAIN i/O COLUMN a FOR t COLUMN b FOR t INTO m") == [("duplicate-clause", "1:38")]


def test_any_one_column_clause_may_go_without_for() -> None:
    first, second = train("i/O COLUMN x FOR s COLUMN y INTO m").columns
    assert (first.target, second.target) == ("s", "feature_columns")


def test_column_star_is_every_column() -> None:
    (clause,) = train("i/O COLUMN * INTO m").columns
    assert isinstance(clause.columns[0], ColumnStar)


def test_column_names_may_be_quoted() -> None:
    (clause,) = train("i/O COLUMN \"x\", 'y z', `w` INTO m").columns
    assert [column.text for column in clause.columns] == ["x", "y z", "w"]  # type: ignore[union-attr]


@pytest.mark.parametrize("word", ["label", "select", "from", "where", "limit", "train", "with", "group", "by", "cmd"])
def test_reserved_words_may_name_columns(word: str) -> None:
    statement = train(f"i/O COLUMN {word}, x LABEL {word} INTO m")
    assert statement.label is not None
    assert statement.label.text == word


def test_column_names_keep_their_case() -> None:
    (clause,) = train("i/O COLUMN CATEGORY_ID(MyCol, 3), CATEGORY_HASH('My Col', 3) INTO m").columns
    assert [call.args[0].text for call in clause.columns] == ["MyCol", "My Col"]  # type: ignore[union-attr]


def test_types_as_the_documentation_writes_them() -> None:
    (clause,) = train("i/O COLUMN DENSE(a, 3, COMMA, int64), DENSE(b, 3, COMMA, float32) INTO m").columns
    assert [call.args[3] for call in clause.columns] == ["int", "float"]  # type: ignore[union-attr]


def test_bucket_boundaries_may_be_any_numbers() -> None:
    (clause,) = train("i/O COLUMN BUCKET(a, [-1.5, 0, 2.5]) INTO m").columns
    assert clause.columns[0].args[1] == (-1.5, 0, 2.5)  # type: ignore[union-attr]


def test_evaluate_needs_no_into() -> None:
    (statement,) = parse_program("SELECT 1 TO EVALUATE m LABEL y", "mysql")
    assert statement.kind == "evaluate"


def test_names_of_images_and_tables_may_be_quoted() -> None:
    (statement,) = parse_program("SELECT 1 TO RUN 'a/b:c' CMD 'x' INTO `my table`", "mysql")
    assert (statement.image.text, statement.into[0].text) == ("a/b:c", "`my table`")  # type: ignore[attr-defined]


# -- expressions


def test_unequal_is_refused_with_its_place() -> None:
    program = "SELECT 1 TO MAXIMIZE x CONSTRAINT x <> 3 WITH variables='x', var_type=Reals INTO r"
    assert errors(program) == [("invalid-expression", "1:35")]


def test_arguments_of_functions_keep_their_commas() -> None:
    program = "SELECT 1 TO MAXIMIZE SUM(a, b) WITH variables='x', var_type=Reals INTO r"
    assert errors(program) == [("invalid-expression", "1:22")]
    objective = optimize("SUM(a)").objective
    assert isinstance(objective, Call)
    assert len(objective.args) == 1


def test_and_binds_tighter_than_or() -> None:
    from sqlflow_codegen.language.expressions import read_objective
    from sqlflow_codegen.language.lexer import Lexer
    from sqlflow_codegen.language.source import Source

    text = "x OR y AND NOT z = 1"
    tree = read_objective(Lexer(Source(text), "mysql", 0, len(text)))
    assert isinstance(tree, Binary)
    assert tree.operator == "OR"
    assert isinstance(tree.right, Binary)
    assert tree.right.operator == "AND"


def test_attributes_of_optimize_are_kept() -> None:
    with_ = "WITH variables='x', var_type=Binary, worker.num=2, solver.tol=0.1"
    program = f"SELECT 1 TO MAXIMIZE x {with_} USING baron INTO r"
    (statement,) = parse_program(program, "mysql")
    names = [attribute.name for attribute in statement.attributes]  # type: ignore[attr-defined]
    assert names == ["variables", "var_type", "worker.num", "solver.tol"]


def test_sum_in_any_case() -> None:
    assert isinstance(optimize("sum(x)", "Sum(x) <= 1").objective, Call)


# -- attributes


@pytest.mark.parametrize(
    "attributes",
    [
        "lambda=1.5",
        "alpha=0",
        "tree_method=hist",
        "rate_drop=0.1",
        "booster=gbtree",
        "train.early_stopping_rounds=5, validation.select='SELECT 1'",
    ],
)
def test_real_xgboost_parameters_are_known(attributes: str) -> None:
    statement = train(f"xgboost.gbtree WITH objective='reg:squarederror', {attributes} LABEL y INTO m")
    assert len(statement.attributes) == 2 + attributes.count(",")


@pytest.mark.parametrize(
    ("attributes", "code"),
    [("max_depth=abc", "attribute-wrong-type"), ("subsample=2", "attribute-out-of-range")],
)
def test_every_xgboost_parameter_is_checked(attributes: str, code: str) -> None:
    program = f"SELECT 1 TO TRAIN xgboost.gbtree WITH {attributes} LABEL y INTO m"
    assert [found for found, _ in errors(program)] == [code]


def test_eta_is_not_sent_beside_learning_rate() -> None:
    estimator = find_estimator("xgboost.gbtree")
    assert estimator is not None
    statement = train("xgboost.gbtree WITH learning_rate=0.5 LABEL y INTO m")
    assert estimator.parameters(statement.attributes) == {"booster": "gbtree", "eta": 0.5}


def test_two_names_of_one_parameter_contradict_each_other() -> None:
    program = "SELECT 1 TO TRAIN xgboost.gbtree WITH eta=0.1, learning_rate=0.2 LABEL y INTO m"
    assert errors(program) == [("duplicate-attribute", "1:48")]


def test_a_random_forest_takes_a_learning_rate_of_its_own() -> None:
    estimator = find_estimator("xgboost.XGBRFClassifier")
    assert estimator is not None
    statement = train("xgboost.XGBRFClassifier WITH learning_rate=0.5, n_estimators=7 LABEL y INTO m")
    parameters = estimator.parameters(statement.attributes)
    assert (parameters["eta"], parameters["num_parallel_tree"]) == (0.5, 7)


@pytest.mark.parametrize("attribute", ["train.batch_size=-1", "train.epoch=2", "train.disk_cache=true", "silent=1"])
def test_attributes_without_effect_warn(attribute: str) -> None:
    program = parse_program(f"SELECT 1 TO TRAIN xgboost.gbtree WITH {attribute} LABEL y INTO m", "mysql")
    assert [warning.code for warning in program.warnings] == ["no-effect"]


@pytest.mark.parametrize(
    "clause",
    [
        "TO PREDICT t.y WITH summary=1 USING m",
        "TO EVALUATE m WITH metrics='x' LABEL y",
    ],
)
def test_attributes_of_predict_and_evaluate_are_checked(clause: str) -> None:
    program = parse_program(f"SELECT 1 {clause}", "mysql")
    assert [warning.code for warning in program.warnings] == ["unknown-attribute"]


@pytest.mark.parametrize("name", ["xgboost.XGBClassifier", "XGBClassifier", "xgbclassifier", "XGBOOST.GBTREE"])
def test_xgboost_estimators_go_in_any_case_with_or_without_prefix(name: str) -> None:
    assert train(f"{name} LABEL y INTO m").estimator.text == name
    assert find_estimator(name) is not None
