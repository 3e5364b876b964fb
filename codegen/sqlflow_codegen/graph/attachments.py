"""ATTACH and DETACH: other names of database files, and databases that only this session sees."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot.tokenizer_core import Token, TokenType

from sqlflow_codegen.graph.analysis import Analysis
from sqlflow_codegen.graph.sql_parser import name_after


def attach(tokens: Sequence[Token], analysis: Analysis) -> bool:
    """Note an ATTACH; True if later steps replay it, False if it attaches a database of this session alone."""
    file, name = _file_and_name(tokens, analysis.catalog.names.dialect)
    folded = analysis.catalog.names.fold((name, False))
    if file is not None and is_memory(file, analysis.catalog.names.dialect):
        analysis.affinities.add(analysis.session.attach_memory(folded))
        analysis.changes_session = True
        return False
    analysis.catalog.attach(folded)
    analysis.session.set(None)
    return True


def detach(tokens: Sequence[Token], analysis: Analysis) -> bool:
    """Note a DETACH; True if later steps replay it."""
    texts = [token.text for token in tokens[1:]]
    while texts and texts[0].upper() in ("DATABASE", "IF", "EXISTS", "DATABASE IF EXISTS", "IF EXISTS"):
        texts.pop(0)
    affinity = analysis.session.detach_memory(analysis.catalog.names.fold((texts[0], False))) if texts else None
    if affinity:
        analysis.affinities.add(affinity)
        analysis.changes_session = True
        return False
    analysis.session.set(None)
    return True


def is_memory(file: str, dialect: str) -> bool:
    """True if that is no file, but a database in memory (or a nameless one) that goes with its connection."""
    text = file.strip().lower()
    if dialect == "duckdb":
        return text.startswith(":memory:")
    return text in ("", ":memory:") or (text.startswith("file:") and (":memory:" in text or "mode=memory" in text))


def _file_and_name(tokens: Sequence[Token], dialect: str) -> tuple[str | None, str]:
    """The file that is attached (None if its name is computed), and the name that it gets."""
    rest = list(tokens[1:])
    texts = [token.text.upper() for token in rest]
    start = next((n for n, token in enumerate(rest) if token.token_type in (TokenType.STRING, TokenType.IDENTIFIER)), 0)
    literal = bool(rest) and rest[start].token_type in (TokenType.STRING, TokenType.IDENTIFIER)
    ends = len(rest) == start + 1 or (len(rest) > start + 1 and texts[start + 1] in ("AS", "("))
    file = rest[start].text if literal and ends else None
    if "AS" in texts:
        path, _ = name_after(rest, texts.index("AS") + 1)
        return file, path[-1][0] if path else ""
    stem = (file or "").replace("\\", "/").rpartition("/")[2].partition(".")[0]
    return file, ("memory" if stem == ":memory:" and dialect == "duckdb" else stem)
