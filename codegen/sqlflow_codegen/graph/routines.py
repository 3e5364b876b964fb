"""Functions and macros that the program defines: callers read what the bodies read.

In the catalog a function is something like a view: its name is `f()`, its bases are what its body reads. Bodies that
write, or that are no single query or expression of SQL, are not followed.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp
from sqlglot.tokenizer_core import Token

from sqlflow_codegen.graph.naming import Identity, Reference, Relation
from sqlflow_codegen.graph.references import References
from sqlflow_codegen.graph.sql_parser import NotUnderstoodError, SqlParser, words
from sqlflow_codegen.graph.walker import Walker

_FOLLOWED = (
    exp.ReturnsProperty,
    exp.LanguageProperty,
    exp.StabilityProperty,
    exp.StrictProperty,
    exp.SqlReadWriteProperty,
    exp.SqlSecurityProperty,
    exp.SchemaCommentProperty,
    exp.CharacterSetProperty,
    exp.DefinerProperty,
)
"""Properties of a function that do not change the effects of its body."""
_ATTRIBUTES = {"PARALLEL": 2, "COST": 2, "ROWS": 2, "LEAKPROOF": 1, "SETOF": 1}
"""PostgreSQL: words of a definition that do not change its effects, and the number of tokens to leave out with each."""


def without_attributes(tokens: list[Token]) -> list[Token]:
    """The tokens of PostgreSQL's CREATE FUNCTION without attributes that sqlglot does not read."""
    kept: list[Token] = []
    every = words(tokens, len(tokens))
    if len(every) != len(tokens) or "FUNCTION" not in every[:4]:
        return tokens
    skipped = 0
    for token, word in zip(tokens, every, strict=True):
        if not skipped:
            skipped = _ATTRIBUTES.get(word, 0)
        if skipped:
            skipped -= 1
        else:
            kept.append(token)
    return kept


class Routines:
    """Reads definitions of functions of one dialect."""

    def __init__(self, dialect: str, reader: SqlParser, walker: Walker) -> None:
        self._dialect = dialect
        self._reader = reader
        self._walker = walker

    def name(self, tree: exp.Expr) -> Reference:
        """The function's name.

        Raises:
            NotUnderstoodError: it has none, or one that other functions may have, too.
        """
        function = tree.args.get("this")
        reference = self._walker.reference(function.this if isinstance(function, exp.UserDefinedFunction) else function)
        bare = reference[-1][0]
        if bare != bare.lower() and reference[-1][1]:
            raise NotUnderstoodError("case counts in the name of the function")
        if bare.upper() in exp.FUNCTION_BY_NAME:
            raise NotUnderstoodError(f"{bare}() is built in, too")
        return reference

    def body(self, tree: exp.Expr, *, trusted: bool) -> References:
        """The references of a call of the function.

        Args:
            tree: the CREATE FUNCTION.
            trusted: whether a body in another language that is said to be IMMUTABLE only computes.

        Raises:
            NotUnderstoodError: that is not known.
        """
        properties = tree.args.get("properties")
        listed = properties.expressions if properties is not None else []
        if tree.args.get("exists") or not all(isinstance(each, _FOLLOWED) for each in listed):
            raise NotUnderstoodError("what the function does is not followed")
        language = next((each.name.lower() for each in listed if isinstance(each, exp.LanguageProperty)), "")
        if language not in ("", "sql"):
            stable = {each.name.upper() for each in listed if isinstance(each, exp.StabilityProperty)}
            if trusted and "IMMUTABLE" in stable:
                return References()
            raise NotUnderstoodError(f"a function in {language} is not followed")
        function = tree.args["this"]
        found = self._walker.collect([*self._parsed(tree.args.get("expression")), *_defaults(function)])
        changes = found.writes or found.into or found.sequences or found.writes_files
        if changes or found.variables or found.assigned or found.parameters:
            raise NotUnderstoodError("the function does more than read")
        return found

    def _parsed(self, body: object) -> Sequence[exp.Expr]:
        if isinstance(body, exp.Return):
            return [body.this]
        if isinstance(body, exp.Literal | exp.Heredoc):
            if self._dialect not in ("postgres", "snowflake"):
                raise NotUnderstoodError("the body of the function is not followed")
            return [self._query(body.name)]
        if not isinstance(body, exp.Expr) or isinstance(body, exp.Command):
            raise NotUnderstoodError("the body of the function is not followed")
        return [body]

    def _query(self, text: str) -> exp.Expr:
        tokens = self._reader.tokens(text)
        if self._dialect == "snowflake" and words(tokens, 1) not in (("SELECT",), ("WITH",)):
            tokens = self._reader.tokens(f"SELECT {text}")
        if not tokens or words(tokens, 1)[0] not in ("SELECT", "WITH", "VALUES", "TABLE"):
            raise NotUnderstoodError("the function does more than read")
        return self._reader.parse(tokens, text)


def _defaults(function: exp.Expr) -> list[exp.Expr]:
    """Expressions that stand for arguments which a call leaves out."""
    return [each for parameter in function.expressions for each in parameter.find_all(exp.DefaultColumnConstraint)]


class FunctionBodies:
    """The bodies of a program's functions, as far as they are known."""

    def __init__(self) -> None:
        self._bodies: dict[Identity, References] = {}
        self._names: dict[str, Identity] = {}
        """For every bare name the identity of the last function that was defined with it."""

    def define(self, function: Relation, body: References) -> None:
        """Note the references of calls of a function, together with those of earlier definitions in the program."""
        earlier = self._bodies.get(function.identity)
        self._bodies[function.identity] = body if earlier is None else earlier.merged(body)
        self._names[function.name] = function.identity

    def forget(self, function: Relation) -> None:
        """Note that a function of that name is dropped: a call means another one, if any."""
        for identity in (self._names.pop(function.name, None), function.identity):
            if identity is not None:
                self._bodies.pop(identity, None)

    def find(self, function: Relation, *, trusted: bool) -> References | None:
        """The references of a call; None if it may be another function's. `trusted`: the bare name is enough."""
        identity = self._names.get(function.name) if trusted else function.identity
        return None if identity is None else self._bodies.get(identity)

    def __bool__(self) -> bool:
        return bool(self._bodies)


def function_reference(name: Reference) -> Reference:
    """The name of a function among the relations."""
    bare, _ = name[-1]
    return (*name[:-1], (f"{bare.lower()}()", True))


def call_reference(called: str) -> Reference:
    """The same of a call as `References.functions` has it."""
    return function_reference(tuple((part, False) for part in called.split(".")[-3:]))
