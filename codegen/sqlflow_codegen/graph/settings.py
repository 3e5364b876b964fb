"""Statements that change the session itself, recognized by their first tokens: USE, SET, ATTACH, PREPARE and so on.

A *setting* changes nothing but the session and is replayed at the start of every later step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, auto

from sqlglot.tokenizer_core import Token, TokenType

from sqlflow_codegen.graph.analysis import Analysis
from sqlflow_codegen.graph.assignments import Assignments
from sqlflow_codegen.graph.attachments import attach, detach
from sqlflow_codegen.graph.effects_builder import CATALOG_READ
from sqlflow_codegen.graph.naming import Unknown
from sqlflow_codegen.graph.session_defaults import alters_later_sessions, keep_from_later_sessions
from sqlflow_codegen.graph.sql_parser import name_after, word_set, words
from sqlflow_codegen.graph.transactions import Transactions

_TEMPORARY = ("TEMP", "TEMPORARY")
_KEPT = word_set("""
    PREPARE DEALLOCATE DECLARE FETCH MOVE CLOSE OPEN HANDLER DISCARD CACHE UNCACHE LISTEN UNLISTEN
""")
"""Statements that leave their state in the session and nothing elsewhere."""
_STICKY = word_set("EXECUTE XA")
_CURSORS = word_set("DECLARE FETCH MOVE CLOSE")
_ALONE = word_set("""
    GRANT REVOKE VACUUM CHECKPOINT REINDEX CLUSTER FLUSH OPTIMIZE CHECK REPAIR KILL NOTIFY SECURITY HELP
""")
_SESSION_PRAGMAS = word_set("""
    foreign_keys case_sensitive_like cache_size synchronous temp_store busy_timeout recursive_triggers journal_mode
    defer_foreign_keys ignore_check_constraints locking_mode mmap_size query_only threads trusted_schema
    reverse_unordered_selects automatic_index legacy_alter_table writable_schema analysis_limit cache_spill
    cell_size_check checkpoint_fullfsync count_changes data_store_directory empty_result_callbacks full_column_names
    fullfsync hard_heap_limit read_uncommitted secure_delete short_column_names soft_heap_limit temp_store_directory
    wal_autocheckpoint
""")
_STATEMENTS_OF_PRAGMAS = ("import_database", "create_fts_index", "drop_fts_index")
"""Pragmas of DuckDB that create and drop relations."""


class Interpretation(Enum):
    """The result of an attempt to interpret a statement as one about the session."""

    SETTING = auto()
    """It is one, and is replayed in later steps."""
    DONE = auto()
    """It is one, and its effects are noted."""
    OTHER = auto()
    """It is none."""


class Settings:
    """Interprets statements about the session, of one dialect."""

    def __init__(self, dialect: str, assignments: Assignments) -> None:
        self._dialect = dialect
        self._assignments = assignments
        self._transactions = Transactions(dialect)
        self._by_verb: dict[str, Callable[[Sequence[Token], tuple[str, ...], Analysis], Interpretation]] = {
            "USE": self._use,
            "SET": self._set,
            "RESET": self._reset,
            "UNSET": self._chained,
            "PRAGMA": self._pragma,
            "ATTACH": self._attach,
            "DETACH": self._detach,
            "LOAD": self._load,
            "INSTALL": self._install,
            "FORCE": self._install,
            "ADD": self._chained,
            "ALTER": self._alter_session,
            "CREATE": self._create_function,
            "SHOW": self._look,
            "EXPLAIN": self._explain,
        }

    def interpret(self, tokens: Sequence[Token], analysis: Analysis) -> Interpretation:
        """Note the effects of a statement about the session."""
        first = words(tokens)
        verb = first[0]
        if alters_later_sessions(first, self._dialect):
            keep_from_later_sessions(" ".join(first[:2]), analysis)
            return Interpretation.OTHER if verb == "CREATE" else Interpretation.DONE
        if self._transactions.interpret(tokens, analysis):
            return Interpretation.DONE
        handler = self._by_verb.get(verb)
        if handler is not None:
            return handler(tokens, first, analysis)
        if verb in _KEPT | _STICKY:
            analysis.give_up(f"{verb} keeps its state in the session")
            inside = verb in _CURSORS and analysis.session.in_transaction and "HOLD" not in words(tokens, len(tokens))
            if verb in _KEPT:
                analysis.keep_in_session(only=not inside)
            analysis.session.stick()
            analysis.controls = inside
            return Interpretation.DONE
        if verb in _ALONE:
            analysis.run_alone(f"{verb} runs alone")
            return Interpretation.DONE
        return Interpretation.OTHER

    # -- settings

    def _use(self, tokens: Sequence[Token], first: tuple[str, ...], analysis: Analysis) -> Interpretation:
        catalog, session, names = analysis.catalog, analysis.session, analysis.catalog.names
        kind = first[1] if len(first) > 2 and first[2] != "." else ""
        if kind in ("ROLE", "WAREHOUSE", "SECONDARY"):
            session.set(frozenset({f"use {kind}"}))
            return Interpretation.SETTING
        path, _ = name_after(tokens, 2 if kind else 1)
        if not path:
            return Interpretation.OTHER
        folded = [names.fold(part) for part in path]
        if analysis.use_memory(path):
            analysis.keep_in_session()  # names without a schema are this session's from here on
            catalog.enter("", Unknown(since=session.number), Unknown(since=session.number))
            return Interpretation.DONE
        last = names.key(folded[-1])
        if kind in ("DATABASE", "CATALOG"):
            session.set(None)
            catalog.enter("", Unknown(since=session.number), folded[-1])
        elif len(path) > 1:
            session.set(frozenset({"use"}), last)
            catalog.enter(last, folded[-1], folded[-2])
        elif self._dialect == "duckdb":
            session.set(None, last)  # a catalog or a schema
            catalog.enter("", Unknown(last), Unknown(last))
        else:
            session.set(frozenset({"use"}) if self._dialect in ("mysql", "hive") else None, last)
            catalog.enter(last, folded[-1])
        return Interpretation.SETTING

    def _set(self, tokens: Sequence[Token], _first: tuple[str, ...], analysis: Analysis) -> Interpretation:
        return Interpretation.SETTING if self._assignments.interpret(tokens[1:], analysis) else Interpretation.DONE

    def _reset(self, tokens: Sequence[Token], first: tuple[str, ...], analysis: Analysis) -> Interpretation:
        if len(first) < 2:
            return Interpretation.OTHER
        if self._dialect == "mysql":  # of the server or its logs, never of the session
            analysis.run_alone("RESET runs alone")
            return Interpretation.DONE
        what = " ".join(words(tokens, len(tokens))[1:]).lower()
        if what == "all":
            analysis.session.reset_all()
        else:
            analysis.session.set(frozenset({"role" if "authorization" in what else what}))
        current = analysis.catalog.place.identity
        role = isinstance(current, Unknown) and current.of_role
        if what in ("all", "search_path", "schema") or (role and what in ("role", "session authorization")):
            analysis.catalog.enter("", Unknown())
        return Interpretation.SETTING

    def _chained(self, _tokens: Sequence[Token], _first: tuple[str, ...], analysis: Analysis) -> Interpretation:
        analysis.session.set(None)
        return Interpretation.SETTING

    def _attach(self, tokens: Sequence[Token], _first: tuple[str, ...], analysis: Analysis) -> Interpretation:
        return Interpretation.SETTING if attach(tokens, analysis) else Interpretation.DONE

    def _detach(self, tokens: Sequence[Token], _first: tuple[str, ...], analysis: Analysis) -> Interpretation:
        return Interpretation.SETTING if detach(tokens, analysis) else Interpretation.DONE

    def _load(self, tokens: Sequence[Token], first: tuple[str, ...], analysis: Analysis) -> Interpretation:
        rows = self._dialect == "mysql" or first[1:2] == ("DATA",)
        return Interpretation.OTHER if rows else self._chained(tokens, first, analysis)

    def _install(self, tokens: Sequence[Token], first: tuple[str, ...], analysis: Analysis) -> Interpretation:
        """DuckDB keeps extensions in the home of its process; MySQL's plugins are the server's."""
        if self._dialect == "duckdb" and "INSTALL" in first[:2]:
            return self._chained(tokens, first, analysis)
        return Interpretation.OTHER

    def _alter_session(self, tokens: Sequence[Token], first: tuple[str, ...], analysis: Analysis) -> Interpretation:
        session = len(first) > 1 and first[1] == "SESSION"
        return self._chained(tokens, first, analysis) if session else Interpretation.OTHER

    def _pragma(self, tokens: Sequence[Token], first: tuple[str, ...], analysis: Analysis) -> Interpretation:
        name, after = name_after(tokens, 1)
        bare = name[-1][0].lower() if name else ""
        sets = after < len(tokens) and tokens[after].token_type in (TokenType.EQ, TokenType.L_PAREN)
        if self._dialect == "duckdb":
            equals = sets and tokens[after].token_type is TokenType.EQ
            if equals or bare.startswith(("enable_", "disable_", "add_parquet_key")):
                return self._chained(tokens, first, analysis)
            if bare in _STATEMENTS_OF_PRAGMAS:
                analysis.give_up(f"PRAGMA {bare} creates what it does not name")
                return Interpretation.DONE
        elif bare == "foreign_keys" and sets and analysis.session.in_transaction:
            return Interpretation.DONE  # SQLite ignores it there
        elif bare in _SESSION_PRAGMAS and sets:
            if analysis.use_memory(name[:-1]):
                analysis.changes_session = True
                return Interpretation.DONE
            analysis.session.set(frozenset({"pragma " + ".".join(part.lower() for part, _ in name)}))
            return Interpretation.SETTING
        if sets and bare in ("user_version", "application_id", "journal_size_limit", "wal_checkpoint"):
            analysis.run_alone(f"PRAGMA {bare} runs alone")
        else:
            analysis.run_alone(CATALOG_READ)
        return Interpretation.DONE

    def _create_function(self, tokens: Sequence[Token], _first: tuple[str, ...], analysis: Analysis) -> Interpretation:
        """Temporary functions are settings, where they cannot write; so are DuckDB's secrets."""
        begin = words(tokens, 6)
        rest = begin[3:] if begin[1:3] == ("OR", "REPLACE") else begin[1:]
        if self._dialect == "duckdb" and "SECRET" in rest[:2]:
            return self._create_secret(begin, rest, analysis)
        if self._dialect == "postgres" and "PG_TEMP" in begin and "TABLE" not in begin and "VIEW" not in begin:
            analysis.give_up("what it creates is in the session's own schema")
            analysis.keep_in_session(only=True)
            analysis.catalog.user_functions = True
            return Interpretation.DONE
        if len(rest) < 2 or rest[0] not in _TEMPORARY or rest[1] not in ("FUNCTION", "MACRO", "AGGREGATE"):
            return Interpretation.OTHER
        analysis.session.set(None)
        if any(token.token_type is TokenType.FROM for token in tokens):
            analysis.catalog.user_functions = True
        return Interpretation.SETTING

    def _create_secret(self, begin: tuple[str, ...], rest: tuple[str, ...], analysis: Analysis) -> Interpretation:
        """A secret is the session's; one kept in a file may be made again only where the statement allows it."""
        if rest[0] == "PERSISTENT" and "REPLACE" not in begin and "IF" not in rest:
            analysis.run_alone("CREATE PERSISTENT SECRET runs alone")
            analysis.session.stick()
            return Interpretation.DONE
        analysis.session.set(None)
        return Interpretation.SETTING

    # -- statements that only look

    def _look(self, _tokens: Sequence[Token], _first: tuple[str, ...], analysis: Analysis) -> Interpretation:
        analysis.run_alone(CATALOG_READ)
        return Interpretation.DONE

    def _explain(self, tokens: Sequence[Token], first: tuple[str, ...], analysis: Analysis) -> Interpretation:
        if "ANALYZE" in words(tokens, 8):
            analysis.give_up("EXPLAIN ANALYZE executes its statement")
            return Interpretation.DONE
        return self._look(tokens, first, analysis)
