"""Statements about the session itself: transactions, USE, SET and what else a session remembers.

They are told by their first tokens, not by a parse. `Settings.interpret` says what became of a statement; a
*setting* changes nothing but the session and is replayed at the start of every later step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot.tokenizer_core import Token, TokenType

from sqlflow_codegen.graph.analysis import Analysis
from sqlflow_codegen.graph.assignments import Assignments
from sqlflow_codegen.graph.attachments import attach, detach
from sqlflow_codegen.graph.effects_builder import CATALOG_READ
from sqlflow_codegen.graph.later import alters_later_sessions, keep_from_later_sessions
from sqlflow_codegen.graph.naming import Unknown
from sqlflow_codegen.graph.sql_parser import name_after, words

SETTING = "setting"
DONE = "done"
OTHER = ""

_TEMPORARY = ("TEMP", "TEMPORARY")
_TRANSACTION_WORDS = """
    TRANSACTION WORK TRAN DEFERRED IMMEDIATE EXCLUSIVE CONCURRENT ISOLATION READ NOT DEFERRABLE
"""
_KEPT = """
    PREPARE DEALLOCATE DECLARE FETCH MOVE CLOSE OPEN HANDLER DISCARD CACHE UNCACHE LISTEN UNLISTEN
"""
"""What leaves its state in the session and nothing elsewhere."""
_STICKY = "EXECUTE XA"
_CURSORS = ("DECLARE", "FETCH", "MOVE", "CLOSE")
_ALONE = """
    GRANT REVOKE VACUUM CHECKPOINT REINDEX CLUSTER FLUSH OPTIMIZE CHECK REPAIR KILL NOTIFY SECURITY HELP
"""
_SESSION_PRAGMAS = """
    foreign_keys case_sensitive_like cache_size synchronous temp_store busy_timeout recursive_triggers journal_mode
    defer_foreign_keys ignore_check_constraints locking_mode mmap_size query_only threads trusted_schema
    reverse_unordered_selects automatic_index legacy_alter_table writable_schema analysis_limit cache_spill
    cell_size_check checkpoint_fullfsync count_changes data_store_directory empty_result_callbacks full_column_names
    fullfsync hard_heap_limit read_uncommitted secure_delete short_column_names soft_heap_limit temp_store_directory
    wal_autocheckpoint
"""


_STATEMENTS_OF_PRAGMAS = ("import_database", "create_fts_index", "drop_fts_index")
"""Pragmas of DuckDB that create and drop relations."""


class Settings:
    """Interprets statements about the session, of one dialect."""

    def __init__(self, dialect: str, assignments: Assignments) -> None:
        self._dialect = dialect
        self._assignments = assignments
        self._transaction_words = frozenset(_TRANSACTION_WORDS.split())
        self._kept = frozenset(_KEPT.split())
        self._sticky = frozenset(_STICKY.split())
        self._alone = frozenset(_ALONE.split())
        self._pragmas = frozenset(_SESSION_PRAGMAS.split())
        self._by_verb: dict[str, Callable[[Sequence[Token], tuple[str, ...], Analysis], str]] = {
            "BEGIN": self._begin,
            "START": self._begin,
            "COMMIT": self._commit,
            "END": self._end,
            "ROLLBACK": self._rollback,
            "ABORT": self._rollback,
            "SAVEPOINT": self._savepoint,
            "RELEASE": self._savepoint,
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
            "LOCK": self._lock,
            "UNLOCK": self._lock,
            "SHOW": self._look,
            "EXPLAIN": self._explain,
        }

    def interpret(self, tokens: Sequence[Token], analysis: Analysis) -> str:
        """What becomes of a statement: `SETTING`, `DONE` if its effects are noted, `OTHER` if it is for others."""
        first = words(tokens)
        verb = first[0]
        if alters_later_sessions(first, self._dialect):
            keep_from_later_sessions(" ".join(first[:2]), analysis)
            return OTHER if verb == "CREATE" else DONE
        handler = self._by_verb.get(verb)
        if handler is not None:
            return handler(tokens, first, analysis)
        if first[:2] == ("PREPARE", "TRANSACTION"):
            return self._prepare_transaction(analysis)
        if verb in self._kept or verb in self._sticky:
            analysis.give_up(f"{verb} keeps its state in the session")
            inside = verb in _CURSORS and analysis.session.in_transaction and "HOLD" not in words(tokens, len(tokens))
            if verb in self._kept:
                analysis.keep_in_session(only=not inside)
            analysis.session.stick()
            analysis.controls = inside
            return DONE
        if verb in self._alone:
            analysis.wait(f"{verb} runs alone")
            return DONE
        return OTHER

    # -- transactions

    def _prepare_transaction(self, analysis: Analysis) -> str:
        analysis.give_up("whether a prepared transaction is kept is not known")
        place = analysis.session.prepare_transaction()
        if place is not None:
            analysis.catalog.place = place
        return DONE

    def _begin(self, tokens: Sequence[Token], first: tuple[str, ...], analysis: Analysis) -> str:
        if len(first) > 1 and first[1] not in self._transaction_words:
            return self._block(tokens, first, analysis)
        if len(first) == 1 and (first[0] == "START" or self._dialect == "bigquery"):
            return self._block(tokens, first, analysis)
        if not analysis.session.in_transaction:
            analysis.catalog.standings.begin()
        analysis.controls = True
        analysis.session.begin(analysis.catalog.place)
        return DONE

    def _block(self, _tokens: Sequence[Token], first: tuple[str, ...], analysis: Analysis) -> str:
        analysis.give_up(f"{first[0]} begins a block of statements")
        analysis.session.stick()
        return DONE

    def _commit(self, tokens: Sequence[Token], first: tuple[str, ...], analysis: Analysis) -> str:
        if len(first) > 1 and first[1] == "PREPARED":
            analysis.give_up("it commits a prepared transaction")
            return DONE
        analysis.controls = True
        analysis.catalog.standings.begin()
        place = analysis.session.commit()
        if place is not None:
            analysis.catalog.place = place
        self._chain(tokens, analysis)
        return DONE

    def _end(self, tokens: Sequence[Token], first: tuple[str, ...], analysis: Analysis) -> str:
        if self._dialect in ("postgres", "sqlite", "duckdb"):
            return self._commit(tokens, first, analysis)
        return self._block(tokens, first, analysis)

    def _rollback(self, tokens: Sequence[Token], _first: tuple[str, ...], analysis: Analysis) -> str:
        every = words(tokens, len(tokens))
        if "PREPARED" in every:
            analysis.give_up("it undoes a prepared transaction")
            return DONE
        analysis.controls = True
        analysis.catalog.standings.rollback()
        if "TO" in every:
            analysis.session.rollback_to()
            return DONE
        place = analysis.session.rollback()
        if place is not None:
            analysis.catalog.place = place
        self._chain(tokens, analysis)
        return DONE

    def _chain(self, tokens: Sequence[Token], analysis: Analysis) -> None:
        every = words(tokens, len(tokens))
        if "CHAIN" in every and "NO" not in every:
            analysis.session.begin(analysis.catalog.place)

    def _savepoint(self, _tokens: Sequence[Token], first: tuple[str, ...], analysis: Analysis) -> str:
        if self._dialect == "sqlite" and not analysis.session.in_transaction:
            analysis.give_up(f"{first[0]} outside a transaction begins one")
            analysis.session.stick()
        analysis.controls = True
        return DONE

    def _lock(self, _tokens: Sequence[Token], first: tuple[str, ...], analysis: Analysis) -> str:
        analysis.wait(f"{first[0]} runs alone")
        analysis.controls = self._dialect == "postgres"
        if not analysis.controls:
            analysis.session.lock(locked=first[0] == "LOCK")
            analysis.changes_session = True
        return DONE

    # -- settings

    def _use(self, tokens: Sequence[Token], first: tuple[str, ...], analysis: Analysis) -> str:
        catalog, session, names = analysis.catalog, analysis.session, analysis.catalog.names
        kind = first[1] if len(first) > 2 and first[2] != "." else ""
        if kind in ("ROLE", "WAREHOUSE", "SECONDARY"):
            session.set(frozenset({f"use {kind}"}))
            return SETTING
        path, _ = name_after(tokens, 2 if kind else 1)
        if not path:
            return OTHER
        folded = [names.fold(part) for part in path]
        if analysis.use_memory(path):
            analysis.keep_in_session()  # names without a schema are this session's from here on
            catalog.enter("", Unknown(since=session.number), Unknown(since=session.number))
            return DONE
        last = names.key(folded[-1])
        if kind in ("DATABASE", "CATALOG"):
            session.set(None)
            catalog.enter("", Unknown(since=session.number), folded[-1])
        elif len(path) > 1:
            session.set(frozenset({"use"}), last)
            catalog.enter(last, folded[-1], folded[-2])
        elif self._dialect == "duckdb":
            session.set(None, last)  # a catalog or a schema: it cannot be told
            catalog.enter("", Unknown(last), Unknown(last))
        else:
            session.set(frozenset({"use"}) if self._dialect in ("mysql", "hive") else None, last)
            catalog.enter(last, folded[-1])
        return SETTING

    def _set(self, tokens: Sequence[Token], _first: tuple[str, ...], analysis: Analysis) -> str:
        return SETTING if self._assignments.interpret(tokens[1:], analysis) else DONE

    def _reset(self, tokens: Sequence[Token], first: tuple[str, ...], analysis: Analysis) -> str:
        if len(first) < 2:
            return OTHER
        if self._dialect == "mysql":  # of the server or its logs, never of the session
            analysis.wait("RESET runs alone")
            return DONE
        what = " ".join(words(tokens, len(tokens))[1:]).lower()
        if what == "all":
            analysis.session.reset_all()
        else:
            analysis.session.set(frozenset({"role" if "authorization" in what else what}))
        current = analysis.catalog.place.identity
        role = isinstance(current, Unknown) and current.of_role
        if what in ("all", "search_path", "schema") or (role and what in ("role", "session authorization")):
            analysis.catalog.enter("", Unknown())
        return SETTING

    def _chained(self, _tokens: Sequence[Token], _first: tuple[str, ...], analysis: Analysis) -> str:
        analysis.session.set(None)
        return SETTING

    def _attach(self, tokens: Sequence[Token], _first: tuple[str, ...], analysis: Analysis) -> str:
        return SETTING if attach(tokens, analysis) else DONE

    def _detach(self, tokens: Sequence[Token], _first: tuple[str, ...], analysis: Analysis) -> str:
        return SETTING if detach(tokens, analysis) else DONE

    def _load(self, tokens: Sequence[Token], first: tuple[str, ...], analysis: Analysis) -> str:
        rows = self._dialect == "mysql" or first[1:2] == ("DATA",)
        return OTHER if rows else self._chained(tokens, first, analysis)

    def _install(self, tokens: Sequence[Token], first: tuple[str, ...], analysis: Analysis) -> str:
        """DuckDB keeps extensions in the home of its process; MySQL's plugins are the server's."""
        if self._dialect == "duckdb" and "INSTALL" in first[:2]:
            return self._chained(tokens, first, analysis)
        return OTHER

    def _alter_session(self, tokens: Sequence[Token], first: tuple[str, ...], analysis: Analysis) -> str:
        session = len(first) > 1 and first[1] == "SESSION"
        return self._chained(tokens, first, analysis) if session else OTHER

    def _pragma(self, tokens: Sequence[Token], first: tuple[str, ...], analysis: Analysis) -> str:
        name, after = name_after(tokens, 1)
        bare = name[-1][0].lower() if name else ""
        sets = after < len(tokens) and tokens[after].token_type in (TokenType.EQ, TokenType.L_PAREN)
        if self._dialect == "duckdb":
            equals = sets and tokens[after].token_type is TokenType.EQ
            if equals or bare.startswith(("enable_", "disable_", "add_parquet_key")):
                return self._chained(tokens, first, analysis)
            if bare in _STATEMENTS_OF_PRAGMAS:
                analysis.give_up(f"PRAGMA {bare} creates what it does not name")
                return DONE
        elif bare == "foreign_keys" and sets and analysis.session.in_transaction:
            return DONE  # SQLite ignores it there
        elif bare in self._pragmas and sets:
            if analysis.use_memory(name[:-1]):
                analysis.changes_session = True
                return DONE
            analysis.session.set(frozenset({"pragma " + ".".join(part.lower() for part, _ in name)}))
            return SETTING
        if sets and bare in ("user_version", "application_id", "journal_size_limit", "wal_checkpoint"):
            analysis.wait(f"PRAGMA {bare} runs alone")
        else:
            analysis.wait(CATALOG_READ)
        return DONE

    def _create_function(self, tokens: Sequence[Token], _first: tuple[str, ...], analysis: Analysis) -> str:
        """Temporary functions are settings, where they cannot write; so are DuckDB's secrets."""
        begin = words(tokens, 6)
        rest = begin[3:] if begin[1:3] == ("OR", "REPLACE") else begin[1:]
        if self._dialect == "duckdb" and "SECRET" in rest[:2]:
            return self._create_secret(begin, rest, analysis)
        if self._dialect == "postgres" and "PG_TEMP" in begin and "TABLE" not in begin and "VIEW" not in begin:
            analysis.give_up("what it creates is in the session's own schema")
            analysis.keep_in_session(only=True)
            analysis.catalog.user_functions = True
            return DONE
        if len(rest) < 2 or rest[0] not in _TEMPORARY or rest[1] not in ("FUNCTION", "MACRO", "AGGREGATE"):
            return OTHER
        analysis.session.set(None)
        if any(token.token_type is TokenType.FROM for token in tokens):
            analysis.catalog.user_functions = True
        return SETTING

    def _create_secret(self, begin: tuple[str, ...], rest: tuple[str, ...], analysis: Analysis) -> str:
        """A secret is the session's; one kept in a file may be made again only where the statement allows it."""
        if rest[0] == "PERSISTENT" and "REPLACE" not in begin and "IF" not in rest:
            analysis.wait("CREATE PERSISTENT SECRET runs alone")
            analysis.session.stick()
            return DONE
        analysis.session.set(None)
        return SETTING

    # -- statements that only look

    def _look(self, _tokens: Sequence[Token], _first: tuple[str, ...], analysis: Analysis) -> str:
        analysis.wait(CATALOG_READ)
        return DONE

    def _explain(self, tokens: Sequence[Token], first: tuple[str, ...], analysis: Analysis) -> str:
        if "ANALYZE" in words(tokens, 8):
            analysis.give_up("EXPLAIN ANALYZE executes its statement")
            return DONE
        return self._look(tokens, first, analysis)
