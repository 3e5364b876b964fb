"""Interprets plain SQL: parses a statement once and notes its effects by its kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from sqlflow_codegen.graph.alterations import Alterations
from sqlflow_codegen.graph.analysis import Analysis
from sqlflow_codegen.graph.assignments import Assignments
from sqlflow_codegen.graph.brief import BRIEF_WORDS, is_brief
from sqlflow_codegen.graph.definitions import FUNCTIONS, HIDDEN_WRITERS, Definitions
from sqlflow_codegen.graph.drops import Drops
from sqlflow_codegen.graph.external import foreign_table, virtual_table
from sqlflow_codegen.graph.files import file_resource, file_resources, writes_many
from sqlflow_codegen.graph.functions import Verdict, judge
from sqlflow_codegen.graph.naming import Names, Reference
from sqlflow_codegen.graph.references import path, unwrap
from sqlflow_codegen.graph.routines import Routines, without_attributes
from sqlflow_codegen.graph.settings import Interpretation, Settings
from sqlflow_codegen.graph.sql_parser import NotUnderstoodError, SqlParser, name_after, words
from sqlflow_codegen.graph.trust import touched
from sqlflow_codegen.graph.walker import Walker

_QUERIES = (
    exp.Select,
    exp.SetOperation,
    exp.Subquery,
    exp.Values,
    exp.Insert,
    exp.Update,
    exp.Delete,
    exp.Merge,
    exp.MultitableInserts,
    exp.Pivot,
    exp.Describe,
    exp.Summarize,
)


_WORD = re.compile(r"[A-Z]+")
_SESSION_WORDS = frozenset({"SET", "USE", "BEGIN", "START", "LOCK", "PREPARE"})
"""Words of statements that may change the session."""
_TIES = frozenset(
    {"VIEW", "SYNONYM", "REFERENCES", "INHERIT", "INHERITS", "ATTACH", "PARTITION", "STREAM", "TASK", "PIPE"}
)
"""Words of statements after which one relation's rows may change with another's."""


class Interpreter:
    """Interprets the plain SQL of one dialect. Not for several threads at a time."""

    def __init__(self, dialect: str) -> None:
        self.names = Names(dialect)
        self._dialect = dialect
        self._reader = SqlParser(dialect)
        self._walker = Walker(self.names)
        self._settings = Settings(dialect, Assignments(dialect, self._reader, self._walker))
        definitions = self._definitions = Definitions(self._walker, Routines(dialect, self._reader, self._walker))
        self._alterations = Alterations(self._walker, definitions)
        self._handlers: dict[type[exp.Expr], Callable[[exp.Expr, Analysis], None]] = {
            exp.Create: definitions.create,
            exp.Drop: Drops(self._walker).drop,
            exp.Alter: self._alterations.alter,
            exp.TruncateTable: self._truncate,
            exp.Copy: self._copy,
            exp.LoadData: self._load,
            exp.Comment: self._comment,
            exp.Analyze: self._analyze,
            exp.Refresh: self._refresh,
        }

    def read_quotes(self, *, other: bool) -> None:
        """Say whether a setting of the session gives quotes or backslashes of the next text another meaning."""
        self._reader.other_quotes = other

    def interpret(self, text: str, analysis: Analysis) -> bool:
        """Note the effects of a statement; True if it is a setting, to be replayed in later steps."""
        tokens: list[Token] = []
        try:
            tokens = self._reader.tokens(text)
            if not tokens:
                return False
            outcome = self._settings.interpret(tokens, analysis)
            if outcome is not Interpretation.OTHER:
                analysis.brief = words(tokens)[0] in BRIEF_WORDS
                return outcome is Interpretation.SETTING
            self._interpret(tokens, text, analysis)
        except NotUnderstoodError as error:
            self._give_up(tokens, text, error, analysis)
        if not analysis.understood:
            said = _WORD.findall(text.upper())
            if analysis.renames and not FUNCTIONS & set(said[:4]):
                analysis.catalog.distrust(touched(said[0] if said else "", text, (token.text for token in tokens)))
            if (HIDDEN_WRITERS | _TIES) & set(said) and said[0] != "DROP":
                analysis.catalog.distrust_names()  # a trigger, its function, a view, or code that makes one
        return False

    def query(self, text: str, analysis: Analysis) -> None:
        """Note the effects of the SELECT of a model statement."""
        try:
            tree = self._reader.parse(self._reader.tokens(text), text)
            if not isinstance(tree, _QUERIES):
                raise NotUnderstoodError("it is no query")
            self._query(tree, analysis)
        except NotUnderstoodError as error:
            analysis.give_up(f"its SELECT is not understood: {error}")

    def _give_up(self, tokens: Sequence[Token], text: str, error: NotUnderstoodError, analysis: Analysis) -> None:
        every = words(tokens, len(tokens))
        begin = every[:8]
        if not tokens:  # it cannot even be read as the server reads it: CREATE /*!32302 TEMPORARY */ TABLE
            begin = every = tuple(_WORD.findall(text.upper()))
            if _SESSION_WORDS & set(every):
                analysis.session.stick()
        created = begin[:1] == ("CREATE",) or not tokens
        hidden = next((word for word in begin if word in HIDDEN_WRITERS | FUNCTIONS), "") if created else ""
        analysis.give_up(f"what CREATE {hidden} brings about is not followed" if hidden and tokens else str(error))
        if {"TEMP", "TEMPORARY", "PG_TEMP"} & set(every):
            analysis.keep_in_session()
        if any(word.startswith("DBLINK_") for word in every):
            analysis.keep_in_session()  # its connections have names there
        analysis.use_variables((), self._variables(tokens))
        if created and FUNCTIONS & set(begin):
            analysis.catalog.user_functions = True

    def _interpret(self, tokens: list[Token], text: str, analysis: Analysis) -> None:
        first = words(tokens)
        if self._interpret_words(tokens, first, analysis):
            return
        if first[0] == "REPLACE" and self._dialect in ("mysql", "sqlite"):
            tokens = [Token(TokenType.INSERT, "INSERT"), *tokens[1:]]
        elif self._reader.is_command(tokens[0]):
            raise NotUnderstoodError(f"what {first[0]} does is not known")
        elif self._dialect == "postgres" and first[0] == "CREATE":
            tokens = without_attributes(self._without_on_commit(tokens, analysis))
        tree = self._reader.parse(tokens, text)
        analysis.brief = is_brief(tree)
        handler = self._handlers.get(tree.__class__)
        if handler is not None:
            handler(tree, analysis)
        elif isinstance(tree, _QUERIES):
            self._query(tree, analysis)
        else:
            raise NotUnderstoodError(f"what {first[0]} does is not known")

    def _interpret_words(self, tokens: list[Token], first: tuple[str, ...], analysis: Analysis) -> bool:
        """Note the effects of a statement that sqlglot does not parse well; False if it is no such statement."""
        if first[:2] == ("RENAME", "TABLE"):
            analysis.brief = True
            self._rename_tables(tokens, analysis)
        elif first[:2] == ("LOAD", "DATA") and self._dialect == "mysql":
            self._load_mysql(tokens, analysis)
        elif first[:3] == ("CREATE", "FOREIGN", "TABLE"):
            self._definitions.create_external(*foreign_table(tokens), analysis)
        elif first[:3] == ("CREATE", "VIRTUAL", "TABLE"):
            self._definitions.create_virtual(*virtual_table(tokens), analysis)
        elif first[:3] == ("REFRESH", "MATERIALIZED", "VIEW"):
            name, _ = name_after(tokens, 4 if first[3:] == ("CONCURRENTLY",) else 3)
            self._refresh_view(name, analysis)
        else:
            return False
        return True

    def _without_on_commit(self, tokens: list[Token], analysis: Analysis) -> list[Token]:
        """The tokens without ON COMMIT DROP, which sqlglot does not read."""
        texts = [token.text.upper() for token in tokens]
        for n in range(len(texts) - 2):
            if texts[n : n + 3] == ["ON", "COMMIT", "DROP"] and {"TEMP", "TEMPORARY"} & set(texts[1:4]):
                analysis.drops_on_commit = True
                return [*tokens[:n], *tokens[n + 3 :]]
        return tokens

    # -- statements

    def _query(self, tree: exp.Expr, analysis: Analysis) -> None:
        found = self._walker.collect([tree])
        analysis.mention(found)
        for reference, temporary in found.into:
            relation = analysis.catalog.relation(reference)
            if temporary:
                analysis.create_temporary(relation)
            else:
                analysis.catalog.provenances.created(relation, plain=True)
                analysis.write_definition(relation)

    def _truncate(self, tree: exp.Expr, analysis: Analysis) -> None:
        for table in tree.expressions:
            analysis.write(self._walker.reference(unwrap(table)))
        if str(tree.args.get("option") or "").upper() == "CASCADE":
            analysis.run_alone("CASCADE may empty more than it names")

    def _copy(self, tree: exp.Expr, analysis: Analysis) -> None:
        target = unwrap(tree.args.get("this"))
        into = bool(tree.args.get("kind"))
        files = tree.args.get("files") or []
        if self._dialect == "duckdb" and any(isinstance(each, exp.Identifier) for each in files):
            raise NotUnderstoodError("it copies more than a table")
        if isinstance(target, exp.Table) and into:
            analysis.write(self._walker.reference(target))
        elif target is not None:
            analysis.mention(self._walker.collect([target]))
        self._copy_files(tree, files, analysis, write=not into)
        for each in files:
            if self._dialect == "snowflake" and isinstance(each, exp.Subquery | exp.Select):
                analysis.mention(self._walker.collect([each]))

    def _copy_files(self, tree: exp.Expr, files: Sequence[exp.Expr], analysis: Analysis, *, write: bool) -> None:
        """The files of a COPY: by their names where these are all that there is to it."""
        params = {each.name.upper() for each in tree.args.get("params") or ()}
        names = [each.name if isinstance(each, exp.Literal) and each.is_string else "" for each in files]
        if any(isinstance(each, exp.Identifier) and each.name.upper() == "PROGRAM" for each in files):
            raise NotUnderstoodError("it runs a program")
        if writes_many(params) or not all(param.isidentifier() for param in params):
            names = [""]
        (analysis.writes if write else analysis.reads).update(file_resources(names))

    def _load(self, tree: exp.Expr, analysis: Analysis) -> None:
        analysis.write(self._walker.reference(unwrap(tree.this)))
        moves = self._dialect == "hive" and not tree.args.get("local")
        path = tree.args.get("inpath")
        named = file_resource(path.name if isinstance(path, exp.Literal) else "")
        (analysis.writes if moves else analysis.reads).add(named)

    def _load_mysql(self, tokens: Sequence[Token], analysis: Analysis) -> None:
        every = words(tokens, len(tokens))
        table = next((n + 2 for n in range(len(every) - 2) if every[n : n + 2] == ("INTO", "TABLE")), 0)
        if not table or "SELECT" in every:
            raise NotUnderstoodError("where it loads data is not known")
        computed = tokens[every.index("SET", table) :] if "SET" in every[table:] else []
        calls = [token.text for token, after in pairwise(computed) if after.token_type is TokenType.L_PAREN]
        unknown = [name for name in calls if name.upper() not in exp.FUNCTION_BY_NAME]
        if any(judge(name.lower(), "mysql") is not Verdict.HARMLESS for name in unknown):
            raise NotUnderstoodError("it calls functions that are not known")
        analysis.write(name_after(tokens, table)[0])
        analysis.use_variables((), self._variables(tokens))
        name = next((n + 1 for n, word in enumerate(every) if word == "INFILE"), len(tokens))
        analysis.reads.add(file_resource(tokens[name].text if name < len(tokens) else ""))

    def _variables(self, tokens: Sequence[Token]) -> set[str]:
        """Variables of MySQL that the tokens mention, in lower case."""
        if self._dialect != "mysql":
            return set()
        return {after.text.lower() for token, after in pairwise(tokens) if token.token_type is TokenType.PARAMETER}

    def _rename_tables(self, tokens: Sequence[Token], analysis: Analysis) -> None:
        """RENAME TABLE a TO b, c TO d."""
        index = 2
        while index < len(tokens):
            old, index = name_after(tokens, index)
            if index >= len(tokens) or tokens[index].text.upper() != "TO":
                raise NotUnderstoodError("what it renames is not known")
            new, index = name_after(tokens, index + 1)
            if not new:
                raise NotUnderstoodError("what it renames is not known")
            self._alterations.rename(old, new, analysis)
            index += 1

    def _comment(self, tree: exp.Expr, analysis: Analysis) -> None:
        target = tree.this
        kind = str(tree.args.get("kind") or "").upper()
        if isinstance(target, exp.Column) and kind == "COLUMN":
            table = path(target.parts[:-1])
            if not table:
                raise NotUnderstoodError("it names no table where one is due")
            analysis.write(table)
        elif isinstance(target, exp.Table) and kind in ("TABLE", "VIEW"):
            analysis.write(self._walker.reference(target))
        else:
            analysis.run_alone("COMMENT runs alone")

    def _analyze(self, tree: exp.Expr, analysis: Analysis) -> None:
        tables = list(tree.find_all(exp.Table))
        for table in tables:
            analysis.read(self._walker.reference(table))
        if not tables:
            analysis.run_alone("ANALYZE of all tables runs alone")

    def _refresh(self, tree: exp.Expr, analysis: Analysis) -> None:
        self._refresh_view(self._walker.reference(unwrap(tree.this)), analysis)

    def _refresh_view(self, name: Reference, analysis: Analysis) -> None:
        if not name:
            raise NotUnderstoodError("what it refreshes is not known")
        relation = analysis.catalog.relation(name)
        analysis.read_relation(relation)
        analysis.write_definition(relation)
