"""The parser of the clauses behind `TO TRAIN` and the like.

The table `grammar` lists each statement's clauses; one loop reads them. After an error it goes on at the next clause,
so that all errors are found at once.
"""

from __future__ import annotations

from typing import Any

from sqlflow_codegen.language.columns import read_columns
from sqlflow_codegen.language.expressions import read_constraints
from sqlflow_codegen.language.grammar import CLAUSES, GRAMMARS
from sqlflow_codegen.language.ir import Attribute, ColumnClause, Name
from sqlflow_codegen.language.lexer import CURLY, Lexer, Token
from sqlflow_codegen.language.source import Problem, ProblemError
from sqlflow_codegen.language.suggest import closest
from sqlflow_codegen.language.values import read_value

_NEXT_STATEMENT = frozenset({"TO", "SELECT", "INSERT", "CREATE", "DROP", "SHOW", "UPDATE", "DELETE"})
"""First words of another statement: a `;` is missing before it."""


class ClauseParser:
    """Reads the clauses of one statement, from behind its target to its end.

    Attributes:
        grammar: of the statement.
        fields: fields of the statement -> their values, as its clauses give them.
        seen: the clauses that it has -> the first token of each.
        problems: its errors.
    """

    def __init__(self, lexer: Lexer, action: str) -> None:
        self._lexer = lexer
        self._action = action
        self._finished = False
        self._targets: dict[str, ColumnClause] = {}
        self.grammar = GRAMMARS[action]
        self.fields: dict[str, Any] = {}
        self.seen: dict[str, Token] = {}
        self.problems: list[Problem] = []

    def parse(self, target_found: bool = True) -> None:
        """Read to the end of the statement; `target_found` if its estimator, model or other target was there."""
        while not self._at_end() and not self._finished:
            try:
                self._clause()
            except ProblemError as error:
                self.problems.append(error.problem)
                self.recover()
        if target_found or self.seen:
            self._check_required()

    def recover(self) -> None:
        """Go to the next clause that this statement may have, outside brackets."""
        self._lexer.narrow(False)
        depth = 0
        while True:
            try:
                token = self._lexer.peek()
                if token.kind == "end" or self._begins_clause(token, depth):
                    return
                depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0) if token.kind == "punctuation" else 0
                self._lexer.next()
            except ProblemError:
                self._lexer.skip_bad()

    def _begins_clause(self, token: Token, depth: int) -> bool:
        """Inside brackets, which may never close, only a keyword before another name does."""
        known = token.keyword in self.grammar.clauses
        if known and depth <= 0:
            return True
        if not known and (depth > 0 or token.kind != "word" or closest(token.text, self.grammar.clauses) is None):
            return False
        return self._lexer.second().kind in ("word", "string", "quoted")

    def _report(self, code: str, message: str, offset: int, hint: str) -> None:
        self.problems.append(Problem(code, message, offset, hint))

    def _at_end(self) -> bool:
        try:
            return self._lexer.peek().kind == "end"
        except ProblemError:
            return False

    def _clause(self) -> None:
        token = self._lexer.next()
        clause = self._clause_of(token)
        self._check_order(clause, token)
        self.seen.setdefault(clause, token)
        getattr(self, f"_{clause.lower()}")(token.start)

    def _clause_of(self, token: Token) -> str:
        """The clause that the token begins, or the one that it misspells (which is a problem, but gets read)."""
        if token.keyword in self.grammar.clauses:
            return token.keyword
        if token.keyword in CLAUSES and token.keyword != "FOR":
            message = f"TO {self._action} has no {token.keyword} clause"
            raise ProblemError("unexpected-clause", message, token.start, f"Write {self.grammar.example}.")
        if token.keyword == "FOR" and "COLUMN" in self.grammar.clauses:
            message = "FOR belongs to a COLUMN clause"
            raise ProblemError("unexpected-clause", message, token.start, f"Write {self.grammar.example}.")
        suggested = closest(token.text, self.grammar.clauses) if token.kind == "word" else None
        if suggested:
            self._report(
                "misspelled-keyword", f"unexpected {token.shown()}", token.start, f"Did you mean `{suggested}`?"
            )
            return suggested
        last = list(self.seen)[-1] if self.seen else f"TO {self._action}"
        message = f"unexpected {token.shown()} after {last} .."
        raise ProblemError("syntax-error", message, token.start, self._unexpected_hint(token, last))

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
        order = list(self.grammar.clauses)
        if clause in self.seen and clause != "COLUMN":
            first = self._lexer.source.at(self.seen[clause].start)
            hint = f"The first one is at {first}; keep one."
            self._report("duplicate-clause", f"{clause} is given twice", token.start, hint)
            return
        later = [other for other in self.seen if order.index(other) > order.index(clause)]
        if later:
            first_later = min(later, key=order.index)
            message = f"{clause} must come before {first_later}"
            self._report("clause-order", message, token.start, f"The order is {self.grammar.example}.")

    def _check_required(self) -> None:
        for clause in [clause for clause in self.grammar.required if clause not in self.seen]:
            what = {"INTO": "where the result goes", "USING": "the model to use"}.get(clause, "")
            message = f"TO {self._action} needs {clause}" + (f", {what}" if what else "")
            self._report("missing-clause", message, self._lexer.last_end, f"Write {self.grammar.example}.")

    # -- one method for each clause

    def name(self, what: str, hint: str = "", *, written: bool = False) -> Name:
        """A name; a keyword of a clause is one only where what follows proves it (`LABEL label INTO m`)."""
        self._check_no_clause(what, hint)
        return self._lexer.name(what, hint, written=written)

    def _check_no_clause(self, what: str, hint: str) -> None:
        token = self._lexer.peek()
        if token.keyword in CLAUSES:
            following = self._lexer.second()
            if following.keyword not in CLAUSES and following.text != "," and following.kind != "end":
                raise ProblemError("syntax-error", f"expected {what}, found {token.shown()}", token.start, hint)

    def _with(self, _start: int) -> None:
        attributes: list[Attribute] = []
        places: dict[str, int] = {}
        while True:
            attribute = self._attribute()
            if attribute.name in places:
                first = self._lexer.source.at(places[attribute.name])
                message = f"attribute `{attribute.name}` is given twice"
                hint = f"The first one is at {first}; keep one."
                self._report("duplicate-attribute", message, attribute.span.start, hint)
            else:
                attributes.append(attribute)
                places[attribute.name] = attribute.span.start
            self.fields["attributes"] = tuple(attributes)
            if not self._lexer.take(","):
                break
            if self._lexer.peek().keyword in self.grammar.clauses or self._lexer.peek().kind == "end":
                token = self._lexer.peek()
                raise ProblemError("syntax-error", "expected an attribute after `,`", token.start, "Remove the comma.")

    def _attribute(self) -> Attribute:
        token = self._lexer.peek()
        if token.kind != "word":
            hint = "Write WITH name = value, name = value."
            raise ProblemError("syntax-error", f"expected an attribute, found {token.shown()}", token.start, hint)
        self._lexer.next()
        name_span = self._lexer.span(token.start)
        hint = "Write WITH name = value, name = value."
        self._lexer.expect("=", f"after attribute `{token.text}`", hint)
        self._check_no_clause(f"a value for attribute `{token.text}`", hint)
        value_start = self._lexer.peek().start
        value = read_value(self._lexer, f"attribute `{token.text}`")
        return Attribute(token.text, value, name_span, self._lexer.span(value_start))

    def _column(self, start: int) -> None:
        clause = read_columns(self._lexer, self.name, start)
        other = self._targets.setdefault(clause.target, clause)
        if other is not clause:
            message = f"COLUMN .. FOR {clause.target} is given twice"
            if clause.target == "feature_columns":
                message = "only one COLUMN clause may go without FOR"
            hint = f"The first one is at {other.span}; list all columns in one clause, or name targets with FOR."
            self._report("duplicate-clause", message, clause.span.start, hint)
        self.fields["columns"] = (*self.fields.get("columns", ()), clause)

    def _label(self, _start: int) -> None:
        self.fields["label"] = self.name("a column after LABEL", "Write LABEL column.")

    def _using(self, _start: int) -> None:
        field = self.grammar.clauses["USING"]
        what = "model" if field == "using" else field
        self.fields[field] = self.name(f"a {what} after USING", f"Write USING {what}.")

    def _into(self, _start: int) -> None:
        what = "model" if self._action == "TRAIN" else "table"
        while True:
            name = self.name(f"a {what} after INTO", f"Write INTO {what}.", written=what == "table")
            several = self._action == "RUN"
            self.fields["into"] = (*self.fields.get("into", ()), name) if several else name
            if not several or not self._lexer.take(","):
                return

    def _cmd(self, _start: int) -> None:
        command: list[str] = []
        while True:
            token = self._lexer.peek()
            if token.kind != "string":
                hint = "Put the program and each argument in quotes: CMD 'program', 'argument'."
                message = f"expected a quoted text after CMD, found {token.shown()}"
                raise ProblemError("syntax-error", message, token.start, hint)
            command.append(self._lexer.next().value)
            if not self._lexer.take(","):
                break
        self.fields["command"] = tuple(command)

    def _constraint(self, _start: int) -> None:
        self.fields["constraints"] = read_constraints(self._lexer)
