"""Objectives and constraints as linear forms of the variables, computed for all rows at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlflow_codegen.language import ir
from sqlflow_codegen.language.optimization import is_sum

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.optimize.table import Numbers, Table

Owner = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Form:
    """Linear forms, one for each row or for each group of rows.

    Attributes:
        constant: the part without a variable, for each form.
        coefficients: number of a variable -> its coefficient in each row; row `i` belongs to form `owner[i]`.
        owner: for each row the number of its form.
    """

    constant: Numbers
    coefficients: dict[int, Numbers]
    owner: Owner

    def plus(self, other: Form, sign: float = 1.0) -> Form:
        """The sum of two forms with the same owner, or the difference."""
        merged = dict(self.coefficients)
        for variable, values in other.coefficients.items():
            merged[variable] = merged.get(variable, 0.0) + sign * values
        return Form(self.constant + sign * other.constant, merged, self.owner)

    def scaled(self, factor: Numbers, operation: Callable[[Numbers, Numbers], Numbers]) -> Form:
        """Each form multiplied or divided by its number."""
        by_row = factor[self.owner]
        coefficients = {variable: operation(values, by_row) for variable, values in self.coefficients.items()}
        return Form(operation(self.constant, factor), coefficients, self.owner)


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Computes expressions over a table.

    Attributes:
        table: the rows.
        variables: name of a variable, in lower case -> its number.
        owner: for each row the number of its group; None for expressions of single rows.
        labels: the groups in words.
    """

    table: Table
    variables: dict[str, int]
    owner: Owner | None = None
    labels: tuple[str, ...] = ()

    def form(self, expression: ir.Expression) -> Form:
        """The forms of an expression: as many as rows, or as groups.

        Raises:
            RunError: kind `data`; a column that does not exist or holds no numbers, a division by 0.
        """
        match expression:
            case ir.NumberLiteral(value=value):
                return self._constant(np.full(self._count, float(value)))
            case ir.Name(text=text) | ir.StringLiteral(value=text):
                number = self.variables.get(text.casefold())
                return self._column(expression) if number is None else self._variable(number)
            case ir.Unary(operator=operator, operand=operand):
                inner = self.form(operand)
                return self._zero().plus(inner, -1.0) if operator == "-" else inner
            case ir.Call(args=(argument,)) if is_sum(expression):
                return self._sum(Evaluator(self.table, self.variables).form(argument))
            case ir.Binary():
                return self._binary(expression)
        raise AssertionError(expression)  # the language's checks let nothing else through

    @property
    def _rows(self) -> Owner:
        return np.arange(len(self.table), dtype=np.intp) if self.owner is None else self.owner

    @property
    def _count(self) -> int:
        return len(self.table) if self.owner is None else len(self.labels)

    def _constant(self, values: Numbers) -> Form:
        return Form(values, {}, self._rows)

    def _zero(self) -> Form:
        return self._constant(np.zeros(self._count))

    def _variable(self, number: int) -> Form:
        return Form(np.zeros(self._count), {number: np.ones(len(self.table))}, self._rows)

    def _sum(self, inner: Form) -> Form:
        total = np.bincount(self._rows, weights=inner.constant, minlength=self._count)
        return Form(total.astype(np.float64), inner.coefficients, self._rows)

    def _column(self, name: ir.Name | ir.StringLiteral) -> Form:
        """A column's numbers; beside a SUM the one that all rows of a group have."""
        values = self.table.numbers(name)
        if self.owner is None:
            return self._constant(values)
        found = np.empty(self._count)
        found[self.owner] = values
        if (other := np.flatnonzero(found[self.owner] != values)).size:
            group = int(self.owner[other[0]])
            text = name.text if isinstance(name, ir.Name) else name.value
            numbers = f"{values[other[0]]:g} and {found[group]:g}"
            message = f"{text} is not one number for {self.labels[group]}: it is {numbers}"
            hint = "Beside a SUM a column has one value in each group: SUM it, or correct the rows."
            raise RunError("data", message, hint, place=name.span.start)
        return self._constant(found)

    def _binary(self, expression: ir.Binary) -> Form:
        left, right = self.form(expression.left), self.form(expression.right)
        match expression.operator:
            case "+":
                return left.plus(right)
            case "-":
                return left.plus(right, -1.0)
            case "*" if left.coefficients:
                return left.scaled(right.constant, np.multiply)
            case "*":
                return right.scaled(left.constant, np.multiply)
        if not right.constant.all():
            where = self._describe(int(np.flatnonzero(right.constant == 0)[0]))
            hint = "Leave such rows out, or write NULLIF and COALESCE in the SELECT."
            raise RunError("data", f"division by 0{where}", hint, place=expression.span.start)
        return left.scaled(right.constant, np.divide if expression.operator == "/" else np.fmod)

    def _describe(self, form: int) -> str:
        if self.owner is None:
            return f" in the row {self.table.describe(form)}"
        return f" for {self.labels[form]}" if self.labels[form] else ""
