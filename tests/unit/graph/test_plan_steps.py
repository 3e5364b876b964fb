"""Steps of small programs."""

from sqlflow_codegen.graph import Step, plan_steps
from sqlflow_codegen.language.ir import Name, Program, Span, SqlStatement, Statement, TrainStatement

SPAN = Span(0, 1, 1, 1)


def sql(number: int) -> SqlStatement:
    return SqlStatement(number=number, text="SELECT 1", span=SPAN, verb="SELECT")


def train(number: int) -> TrainStatement:
    return TrainStatement(
        number=number,
        text="SELECT a FROM t TO TRAIN e LABEL a INTO m",
        span=SPAN,
        select="SELECT a FROM t",
        select_span=SPAN,
        estimator=Name("e", SPAN),
        into=Name("m", SPAN),
    )


def program(*statements: Statement) -> Program:
    return Program(text="", dialect="postgres", statements=statements)


def test_an_empty_program_has_no_steps() -> None:
    assert plan_steps(program()) == ()


def test_adjacent_plain_sql_is_one_step() -> None:
    assert plan_steps(program(sql(1), sql(2))) == (Step("s1-sql", "sql", (1, 2), ()),)


def test_each_model_statement_is_a_step_of_its_own() -> None:
    assert plan_steps(program(sql(1), sql(2), train(3), train(4), sql(5))) == (
        Step("s1-sql", "sql", (1, 2), ()),
        Step("s3-train", "train", (3,), ("s1-sql",)),
        Step("s4-train", "train", (4,), ("s3-train",)),
        Step("s5-sql", "sql", (5,), ("s4-train",)),
    )
