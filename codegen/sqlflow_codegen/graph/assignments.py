"""SET: the settings that a statement makes, and if a replay of it gives the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot.tokenizer_core import Token, TokenType

from sqlflow_codegen.graph.analysis import Analysis
from sqlflow_codegen.graph.functions import Verdict, judge
from sqlflow_codegen.graph.naming import Unknown
from sqlflow_codegen.graph.references import References
from sqlflow_codegen.graph.session_defaults import keep_from_later_sessions
from sqlflow_codegen.graph.sql_parser import NotUnderstoodError, SqlParser, words
from sqlflow_codegen.graph.walker import Walker

_EQUALS = (TokenType.EQ, TokenType.COLON_EQ)
_VARIABLE_SIGNS = (TokenType.PARAMETER, TokenType.SESSION_PARAMETER)
_GLOBAL = ("GLOBAL", "PERSIST", "PERSIST_ONLY")
_SCOPES = ("SESSION", "LOCAL", *_GLOBAL)
_OF_THE_NEXT = {
    "mysql": ("insert_id", "last_insert_id", "identity", "rand_seed1", "rand_seed2"),
    "postgres": ("seed",),
}
"""Variables whose value is used up by the statements that follow: set again in another step, it would be used twice."""
_OFF = ("0", "OFF", "FALSE")


class Assignments:
    """Interprets the assignments behind SET, of one dialect."""

    def __init__(self, dialect: str, reader: SqlParser, walker: Walker) -> None:
        self._dialect = dialect
        self._reader = reader
        self._walker = walker

    def interpret(self, tokens: Sequence[Token], analysis: Analysis) -> bool:
        """Note the effects of the statement; True if it is a setting, to be replayed in later steps."""
        every = words(tokens, len(tokens))
        if not every or (every[0] == "VARIABLE" and self._dialect == "spark") or every[0] == "VAR":
            return self._declared(analysis)
        special = self._special(every, tokens, analysis)
        if special is not None:
            return special
        parts = list(_split(tokens)) if self._dialect == "mysql" else [tokens]
        if self._dialect == "bigquery":
            return self._declared(analysis)
        return self._assign(parts, analysis)

    def _declared(self, analysis: Analysis) -> bool:
        analysis.give_up("SET of a declared variable is not followed")
        analysis.keep_in_session(only=True)
        return False

    # -- forms without a plain name and value

    def _special(self, every: tuple[str, ...], tokens: Sequence[Token], analysis: Analysis) -> bool | None:
        """The outcome of `SET TRANSACTION` and the like; None if it is an assignment."""
        scope = every[0] if every[0] in _SCOPES else ""
        rest = every[1:] if scope else every
        head = rest[0] if rest else ""
        if head == "TRANSACTION":
            return self._transaction(scope, analysis)
        if head == "CONSTRAINTS":
            analysis.controls = True
            return False
        if head in ("PASSWORD", "DEFAULT", "RESOURCE", "STATEMENT"):
            analysis.give_up(f"SET {head} is not followed")
            return False
        if head in ("ROLE", "AUTHORIZATION"):
            return self._role(scope, analysis)
        if head == "PATH" or (head in ("SEARCH_PATH", "SCHEMA") and self._dialect in ("postgres", "duckdb")):
            return self._search_path(scope, tokens[2 if scope else 1 :], analysis)
        if scope == "LOCAL" and self._dialect == "postgres":
            analysis.controls = True
            return False
        if head in ("TIME", "NAMES", "CHARACTER", "CHARSET", "CHARACTERISTICS", "XML"):
            analysis.session.set(frozenset({head.lower()}))
            return True
        return None

    def _transaction(self, scope: str, analysis: Analysis) -> bool:
        if scope in _GLOBAL:
            self._global(scope, analysis)
        elif scope:
            analysis.session.set(frozenset({"transaction"}))
            return True
        elif not analysis.session.in_transaction:
            analysis.affinities.add(analysis.session.with_next())
            analysis.changes_session = True
        else:
            analysis.controls = True
        return False

    def _global(self, scope: str, analysis: Analysis) -> None:
        """A server's variable: the session keeps the value that it began with."""
        if scope == "PERSIST_ONLY":
            analysis.run_alone("SET PERSIST_ONLY runs alone")
        else:
            keep_from_later_sessions(f"SET {scope}", analysis)

    def _role(self, scope: str, analysis: Analysis) -> bool:
        """Another role: with PostgreSQL's default search path, another schema too."""
        if not analysis.catalog.place.schema:
            analysis.catalog.enter("", Unknown(since=analysis.session.number, of_role=True))
        if scope == "LOCAL":
            analysis.session.localize()
            analysis.controls = True
            return False
        analysis.session.set(frozenset({"role"}))
        return True

    def _search_path(self, scope: str, value: Sequence[Token], analysis: Analysis) -> bool:
        session, names = analysis.session, analysis.catalog.names
        written = [token for token in value if token.token_type not in _EQUALS and token.text.upper() != "TO"]
        path = written[0].text if len(written) == 1 else ""
        if self._dialect == "duckdb" and ("," in path or "." in path):
            path = ""
        if path and not path.startswith("$") and path.upper() != "DEFAULT":
            quoted = written[0].token_type in (TokenType.IDENTIFIER, TokenType.STRING)
            folded = names.fold((path, quoted))
            analysis.catalog.enter(names.key(folded), folded)
        else:
            shown = " ".join(token.text for token in written)
            analysis.catalog.enter("", Unknown("" if shown.upper() == "DEFAULT" else shown))
        if scope == "LOCAL":
            session.localize()
            analysis.controls = True
            return False
        session.set(frozenset({"search_path"}), analysis.catalog.place.schema)
        return True

    # -- assignments

    def _assign(self, parts: list[Sequence[Token]], analysis: Analysis) -> bool:
        keys: set[str] = set()
        computed: list[Sequence[Token]] = []
        for part in parts:
            key, value = self._name_and_value(part)
            if key.startswith(_GLOBAL):
                self._global(key, analysis)
                return False
            off = key == "autocommit" and any(token.text.upper() in _OFF for token in value)
            if off or key in _OF_THE_NEXT.get(self._dialect, ()):
                analysis.keep_in_session()
                return False
            keys.add(key)
            if not _is_constant(value) or key[1:] in analysis.session.computed_variables:
                computed.append(value)
        if computed:
            return self._assign_computed(keys, computed, analysis)
        analysis.session.set(frozenset(keys))
        return True

    def _assign_computed(self, keys: set[str], values: list[Sequence[Token]], analysis: Analysis) -> bool:
        found = self._references(values, analysis)
        variables = all(key.startswith("@") for key in keys)
        if found is not None and not variables and self._same_again(found):
            analysis.session.set(None)
            return True
        if found is not None:
            analysis.mention(found)
        if found is not None and variables:
            analysis.use_variables(found.variables, {key[1:] for key in keys})
        else:
            analysis.keep_in_session()
        return False

    def _name_and_value(self, part: Sequence[Token]) -> tuple[str, Sequence[Token]]:
        """The setting's key (`@name` for a variable of MySQL, lower case) and the tokens of its value."""
        index = next(
            (n for n, token in enumerate(part) if token.token_type in _EQUALS or token.text.upper() == "TO"), -1
        )
        name = part[:index] if index >= 0 else part
        value = part[index + 1 :] if index >= 0 else part[len(part) :]
        written = [token.text for token in name]
        if len(name) > 1 and written[0].upper() in _SCOPES:
            if written[0].upper() in _GLOBAL and self._dialect == "mysql":
                return written[0].upper(), value
            written = written[1:]
        joined = "".join(written).lower()
        if joined.startswith("@@"):
            scope, _, rest = joined[2:].partition(".")
            if rest and scope.upper() in _GLOBAL:
                return scope.upper(), value
            joined = rest if rest and scope.upper() in _SCOPES else joined[2:]
        return joined, value

    def _references(self, values: list[Sequence[Token]], analysis: Analysis) -> References | None:
        """The references in the values; None (and a barrier) if they are not known."""
        found = References()
        for value in values:
            select = Token(TokenType.SELECT, "SELECT")
            try:
                self._walker.collect([self._reader.parse([select, *value], "")], found)
            except NotUnderstoodError as error:
                analysis.give_up(str(error))
                return None
        return found

    def _same_again(self, found: References) -> bool:
        """True if such values are the same in every session that replays the settings before."""
        if found.reads or found.writes or found.sequences or found.variables or found.files:
            return False
        return all(judge(function, self._dialect) is Verdict.HARMLESS for function in found.functions)


def _split(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """The assignments between the commas."""
    depth = start = 0
    for index, token in enumerate(tokens):
        if token.token_type is TokenType.L_PAREN:
            depth += 1
        elif token.token_type is TokenType.R_PAREN:
            depth -= 1
        elif token.token_type is TokenType.COMMA and depth == 0:
            yield tokens[start:index]
            start = index + 1
    yield tokens[start:]


def _is_constant(value: Sequence[Token]) -> bool:
    """True if it is made of literals and bare words only."""
    return not any(token.token_type in (TokenType.L_PAREN, *_VARIABLE_SIGNS) for token in value)
