"""The container images that a program names: of `TO RUN`, and of models whose estimator an image of the user brings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlflow_codegen.catalogue import split_image
from sqlflow_codegen.errors import Diagnostic
from sqlflow_codegen.graph.data_objects import Effects
from sqlflow_codegen.graph.steps import Step
from sqlflow_codegen.language import ir
from sqlflow_codegen.ranges import format_ranges


def images_of(statements: Iterable[ir.Statement]) -> list[str]:
    """For each statement of a program the image that it needs; "" for the step image.

    A model that the program trains in an image is used in that image.
    """
    of_model: dict[str, str] = {}
    found = []
    for statement in statements:
        image = ""
        match statement:
            case ir.RunStatement():
                image = statement.image.text
            case ir.TrainStatement():
                image, _ = split_image(statement.estimator.text)
                of_model[statement.into.text] = image
            case (
                ir.PredictStatement(using=model) | ir.EvaluateStatement(model=model) | ir.ExplainStatement(model=model)
            ):
                name, _, version = model.text.rpartition(":")
                image = of_model.get(name if version.isdigit() else model.text, "")
        found.append(image)
    return found


def image_of(step: Sequence[int], statements: Sequence[ir.Statement], images: Sequence[str]) -> str:
    """The image of a step, given the positions of its statements: that of its model statements."""
    return next((images[each] for each in step if statements[each].kind != ir.SqlStatement.kind), "")


def image_errors(
    program: ir.Program, steps: Iterable[Step], effects: Sequence[Effects], images: Sequence[str]
) -> list[Diagnostic]:
    """Statements that have to share a session, which one container has, but cannot share a container."""
    found = []
    for step in steps:
        shared = [program.statement(number) for number in step.statements if not effects[number - 1].setting]
        for statement in shared:
            others = [other for other in shared if other is not statement]
            if statement.kind == "run" and others:
                numbers = format_ranges([other.number for other in others])
                found.append(_error(statement, "run-session", _RUN.format(numbers), _RUN_HINT))
            elif statement.kind not in ("sql", "run") and images[statement.number - 1] != step.image:
                found.append(_error(statement, "mixed-images", _MIXED.format(shared[0].number), _MIXED_HINT))
    return found


_RUN = "TO RUN is a process of its own: it cannot stand in the session that other statements share ({})"
_RUN_HINT = (
    "Make temporary tables lasting ones, and COMMIT before it; or move it before those statements, or after them."
)
_MIXED = "this statement shares a session with statement {}, but runs in another container image"
_MIXED_HINT = "Make the temporary table that both use a lasting one, and COMMIT between them."


def _error(statement: ir.Statement, code: str, message: str, hint: str) -> Diagnostic:
    span = statement.span
    return Diagnostic(code, message, statement.number, span.line, span.column, hint)
