"""Reads the clauses behind `TO TRAIN` and the like, and says what is wrong where their order is broken.

One table (`grammar`) tells each statement's clauses; one loop reads them. After an error it goes on at the next clause,
so that one look tells everything that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlflow_codegen.language.columns import read_columns
from sqlflow_codegen.language.expressions import read_constraints
from sqlflow_codegen.language.grammar import CLAUSES, GRAMMARS
from sqlflow_codegen.language.ir import Attribute, ColumnClause, Constraint, Name
from sqlflow_codegen.language.lexer import CURLY, Lexer, Token
from sqlflow_codegen.language.source import Problem, ProblemError
from sqlflow_codegen.language.suggest import closest
from sqlflow_codegen.language.values import read_value

_NEXT_STATEMENT = frozenset({"TO", "SELECT", "INSERT", "CREATE", "DROP", "SHOW", "UPDATE", "DELETE"})
"""Words behind which another statement goes on, whose `;` before it is missing."""


@dataclass(slots=True)
class Clauses:
    """What the clauses of one statement say; `problems` what is wrong with them."""

    attributes: tuple[Attribute, ...] = ()
    columns: list[ColumnClause] = field(default_factory=list)
    label: Name | None = None
    using: Name | None = None
    into: list[Name] = field(default_factory=list)
    command: tuple[str, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    problems: list[Problem] = field(default_factory=list)


class ClauseParser:
    """Reads the clauses of one statement, from behind its target to its end."""

    def __init__(self, reader: Lexer, action: str) -> None:
        self._reader = reader
        self._action = action
        self.grammar = GRAMMARS[action]
        self.seen: dict[str, Token] = {}
        self._finished = False
        self._targets: dict[str, ColumnClause] = {}
        self._start = 0
        self.clauses = Clauses()
        self._parsers: dict[str, Callable[[], None]] = {
            "WITH": self._with,
            "COLUMN": self._column,
            "LABEL": self._label,
            "USING": self._using,
            "INTO": self._into,
            "CMD": self._cmd,
            "CONSTRAINT": self._constraint,
        }

    def parse(self, target_found: bool = True) -> Clauses:
        """Read to the end of the statement and return what was found, problems included.

        Args:
            target_found: the estimator, model, table or objective before the clauses was there.
        """
        while not self._at_end() and not self._finished:
            try:
                self._clause()
            except ProblemError as error:
                self.clauses.problems.append(error.problem)
                self.recover()
        if target_found or self.seen:
            self._check_required()
        return self.clauses

    def recover(self) -> None:
        """Go to the next clause that this statement may have, outside brackets."""
        self._reader.narrow(False)
        depth = 0
        while True:
            try:
                token = self._reader.peek()
                if token.kind == "end" or self._begins_clause(token, depth):
                    return
                depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0) if token.kind == "punctuation" else 0
                self._reader.next()
            except ProblemError:
                self._reader.skip_bad()

    def _begins_clause(self, token: Token, depth: int) -> bool:
        """Inside brackets, which may never close, only a keyword before another name does."""
        known = token.keyword in self.grammar.clauses
        if known and depth <= 0:
            return True
        if not known and (depth > 0 or token.kind != "word" or closest(token.text, self.grammar.clauses) is None):
            return False
        return self._reader.second().kind in ("word", "string", "quoted")

    def _at_end(self) -> bool:
        try:
            return self._reader.peek().kind == "end"
        except ProblemError:
            return False

    def _clause(self) -> None:
        token = self._reader.next()
        clause = self._meant(token)
        self._check_order(clause, token)
        self.seen.setdefault(clause, token)
        self._start = token.start
        self._parsers[clause]()

    def _meant(self, token: Token) -> str:
        """The clause that the token begins, or the one that it misspells (which is a problem, but gets read)."""
        if token.keyword in self.grammar.clauses:
            return token.keyword
        title = self.grammar.title
        if token.keyword in CLAUSES and token.keyword != "FOR":
            message = f"{title} has no {token.keyword} clause"
            raise ProblemError("unexpected-clause", message, token.start, f"Write {self.grammar.example}.")
        if token.keyword == "FOR" and "COLUMN" in self.grammar.clauses:
            message = "FOR belongs to a COLUMN clause"
            raise ProblemError("unexpected-clause", message, token.start, f"Write {self.grammar.example}.")
        meant = closest(token.text, self.grammar.clauses) if token.kind == "word" else None
        if meant:
            message = f"unexpected {token.shown()}"
            hint = f"Did you mean `{meant}`?"
            self.clauses.problems.append(Problem("misspelled-keyword", message, token.start, hint))
            return meant
        last = list(self.seen)[-1] if self.seen else title
        hint = self._unexpected_hint(token, last)
        after = f"after {last} .."
        raise ProblemError("syntax-error", f"unexpected {token.shown()} {after}", token.start, hint)

    def _unexpected_hint(self, token: Token, last: str) -> str:
        if token.keyword in _NEXT_STATEMENT:
            self._finished = True
            return "End the statement before it with `;`."
        if token.text in CURLY:
            return "Use straight quotes: ' or \"."
        if token.kind == "word" and last in ("WITH", "COLUMN"):
            return f"Put a comma between {'attributes' if last == 'WITH' else 'columns'}."
        return f"Write {self.grammar.example}."

    def _check_order(self, clause: str, token: Token) -> None:
        order = self.grammar.clauses
        if clause in self.seen and clause != "COLUMN":
            first = self._reader.source.at(self.seen[clause].start)
            message = f"{clause} is given twice"
            hint = f"The first one is at {first}; keep one."
            self.clauses.problems.append(Problem("duplicate-clause", message, token.start, hint))
            return
        later = [other for other in self.seen if order.index(other) > order.index(clause)]
        if later:
            first_later = min(later, key=order.index)
            message = f"{clause} must come before {first_later}"
            hint = f"The order is {self.grammar.example}."
            self.clauses.problems.append(Problem("clause-order", message, token.start, hint))

    def _check_required(self) -> None:
        missing = [clause for clause in self.grammar.required if clause not in self.seen]
        for clause in missing:
            token_end = self._reader.last_end
            what = {"INTO": "where the result goes", "USING": "the model to use"}.get(clause, "")
            message = f"{self.grammar.title} needs {clause}" + (f", {what}" if what else "")
            hint = f"Write {self.grammar.example}."
            self.clauses.problems.append(Problem("missing-clause", message, token_end, hint))

    # -- one method for each clause

    def name(self, what: str, hint: str = "", *, written: bool = False) -> Name:
        """A name; a keyword of a clause is one only where what follows proves it (`LABEL label INTO m`)."""
        self._check_no_clause(what, hint)
        return self._reader.name(what, hint, written=written)

    def _check_no_clause(self, what: str, hint: str) -> None:
        token = self._reader.peek()
        if token.keyword in CLAUSES:
            following = self._reader.second()
            if following.keyword not in CLAUSES and following.text != "," and following.kind != "end":
                raise ProblemError("syntax-error", f"expected {what}, found {token.shown()}", token.start, hint)

    def _with(self) -> None:
        attributes: list[Attribute] = []
        places: dict[str, int] = {}
        while True:
            attribute = self._attribute()
            if attribute.name in places:
                first = self._reader.source.at(places[attribute.name])
                message = f"attribute `{attribute.name}` is given twice"
                hint = f"The first one is at {first}; keep one."
                self.clauses.problems.append(Problem("duplicate-attribute", message, attribute.span.start, hint))
            else:
                attributes.append(attribute)
                places[attribute.name] = attribute.span.start
            self.clauses.attributes = tuple(attributes)
            if not self._reader.take(","):
                break
            if self._reader.peek().keyword in self.grammar.clauses or self._reader.peek().kind == "end":
                token = self._reader.peek()
                raise ProblemError("syntax-error", "expected an attribute after `,`", token.start, "Remove the comma.")

    def _attribute(self) -> Attribute:
        token = self._reader.peek()
        if token.kind != "word":
            hint = "Write WITH name = value, name = value."
            raise ProblemError("syntax-error", f"expected an attribute, found {token.shown()}", token.start, hint)
        self._reader.next()
        name_span = self._reader.span(token.start)
        hint = "Write WITH name = value, name = value."
        self._reader.expect("=", f"after attribute `{token.text}`", hint)
        self._check_no_clause(f"a value for attribute `{token.text}`", hint)
        value_start = self._reader.peek().start
        value = read_value(self._reader, f"attribute `{token.text}`")
        return Attribute(token.text, value, name_span, self._reader.span(value_start))

    def _column(self) -> None:
        clause = read_columns(self._reader, self.name, self._start)
        other = self._targets.setdefault(clause.target, clause)
        if other is not clause:
            message = f"COLUMN .. FOR {clause.target} is given twice"
            if clause.target == "feature_columns":
                message = "only one COLUMN clause may go without FOR"
            hint = f"The first one is at {other.span}; list all columns in one clause, or name targets with FOR."
            self.clauses.problems.append(Problem("duplicate-clause", message, clause.span.start, hint))
        self.clauses.columns.append(clause)

    def _label(self) -> None:
        self.clauses.label = self.name("a column after LABEL", "Write LABEL column.")

    def _using(self) -> None:
        what = {"EXPLAIN": "explainer", "MAXIMIZE": "solver", "MINIMIZE": "solver"}.get(self._action, "model")
        self.clauses.using = self.name(f"a {what} after USING", f"Write USING {what}.")

    def _into(self) -> None:
        what = "model" if self._action == "TRAIN" else "table"
        while True:
            name = self.name(f"a {what} after INTO", f"Write INTO {what}.", written=what == "table")
            self.clauses.into.append(name)
            if self._action != "RUN" or not self._reader.take(","):
                return

    def _cmd(self) -> None:
        command: list[str] = []
        while True:
            token = self._reader.peek()
            if token.kind != "string":
                hint = "Put the program and each argument in quotes: CMD 'program', 'argument'."
                message = f"expected a quoted text after CMD, found {token.shown()}"
                raise ProblemError("syntax-error", message, token.start, hint)
            command.append(self._reader.next().value)
            if not self._reader.take(","):
                break
        self.clauses.command = tuple(command)

    def _constraint(self) -> None:
        self.clauses.constraints = read_constraints(self._reader)
