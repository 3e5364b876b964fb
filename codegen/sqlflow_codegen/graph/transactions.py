"""Statements that begin and end transactions, or act inside one only."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot.tokenizer_core import Token

from sqlflow_codegen.graph.analysis import Analysis
from sqlflow_codegen.graph.naming import CurrentSchema
from sqlflow_codegen.graph.sql_parser import word_set, words

_WORDS = word_set("TRANSACTION WORK TRAN DEFERRED IMMEDIATE EXCLUSIVE CONCURRENT ISOLATION READ NOT DEFERRABLE")
"""Words behind a BEGIN that begins a transaction and no block of statements."""


class Transactions:
    """Interprets statements about transactions, of one dialect."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self._by_verb: dict[str, Callable[[tuple[str, ...], Analysis], None]] = {
            "BEGIN": self._begin,
            "START": self._begin,
            "COMMIT": self._commit,
            "END": self._commit if dialect in ("postgres", "sqlite", "duckdb") else self._block,
            "ROLLBACK": self._rollback,
            "ABORT": self._rollback,
            "SAVEPOINT": self._savepoint,
            "RELEASE": self._savepoint,
            "LOCK": self._lock,
            "UNLOCK": self._lock,
        }

    def interpret(self, tokens: Sequence[Token], analysis: Analysis) -> bool:
        """Note the effects of a statement; False if it is not about transactions."""
        first = words(tokens)
        handler = self._prepare if first[:2] == ("PREPARE", "TRANSACTION") else self._by_verb.get(first[0])
        if handler is not None:
            handler(words(tokens, len(tokens)), analysis)
        return handler is not None

    def _prepare(self, _every: tuple[str, ...], analysis: Analysis) -> None:
        analysis.give_up("whether a prepared transaction is kept is not known")
        _go_back(analysis.session.prepare_transaction(), analysis)

    def _begin(self, every: tuple[str, ...], analysis: Analysis) -> None:
        alone = len(every) == 1 and (every[0] == "START" or self._dialect == "bigquery")
        if alone or (len(every) > 1 and every[1] not in _WORDS):
            self._block(every, analysis)
            return
        if not analysis.session.in_transaction:
            analysis.catalog.provenances.begin()
        analysis.controls = True
        analysis.session.begin(analysis.catalog.place)

    def _block(self, every: tuple[str, ...], analysis: Analysis) -> None:
        analysis.give_up(f"{every[0]} begins a block of statements")
        analysis.session.stick()

    def _commit(self, every: tuple[str, ...], analysis: Analysis) -> None:
        if every[1:2] == ("PREPARED",):
            analysis.give_up("it commits a prepared transaction")
            return
        analysis.controls = True
        analysis.catalog.provenances.begin()
        _go_back(analysis.session.commit(), analysis)
        _chain(every, analysis)

    def _rollback(self, every: tuple[str, ...], analysis: Analysis) -> None:
        if "PREPARED" in every:
            analysis.give_up("it undoes a prepared transaction")
            return
        analysis.controls = True
        analysis.catalog.provenances.rollback()
        if "TO" in every:
            analysis.session.rollback_to()
            return
        _go_back(analysis.session.rollback(), analysis)
        _chain(every, analysis)

    def _savepoint(self, every: tuple[str, ...], analysis: Analysis) -> None:
        if self._dialect == "sqlite" and not analysis.session.in_transaction:
            analysis.give_up(f"{every[0]} outside a transaction begins one")
            analysis.session.stick()
        analysis.controls = True

    def _lock(self, every: tuple[str, ...], analysis: Analysis) -> None:
        analysis.run_alone(f"{every[0]} runs alone")
        analysis.controls = self._dialect == "postgres"
        if not analysis.controls:
            analysis.session.lock(locked=every[0] == "LOCK")
            analysis.changes_session = True


def _go_back(place: CurrentSchema | None, analysis: Analysis) -> None:
    """Make the schema of before the transaction the current one again, if the transaction has changed it."""
    if place is not None:
        analysis.catalog.place = place


def _chain(every: tuple[str, ...], analysis: Analysis) -> None:
    """Begin the next transaction behind COMMIT AND CHAIN."""
    if "CHAIN" in every and "NO" not in every:
        analysis.session.begin(analysis.catalog.place)
