"""Names that a statement which is not understood may have given another meaning.

Such a statement (`ALTER SCHEMA a RENAME TO b`, `CALL p()`) may have moved, renamed or replaced all that it mentions.
From then on those names count as names of tables that existed before do in `Conservative`: any of
them may be a view over any other, or over a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlflow_codegen.graph.naming import Relation
from sqlflow_codegen.graph.sql_parser import word_set

_WORD = re.compile(r"\w+")
_ROWS_ONLY = word_set("""
    SELECT INSERT UPDATE DELETE MERGE REPLACE WITH VALUES TRUNCATE COPY LOAD EXPLAIN ANALYZE REFRESH UNLOAD EXPORT
    PREPARE DEALLOCATE DECLARE FETCH MOVE CLOSE OPEN HANDLER DISCARD CACHE UNCACHE LISTEN UNLISTEN SET SAVEPOINT RELEASE
""")
"""First words of statements that may change rows and the session, but no meaning of a name."""
_DEFINING = word_set("""
    CREATE ALTER DROP RENAME COMMENT UNDROP REASSIGN SECURITY EXCHANGE MSCK REPAIR COMMIT ROLLBACK
""")
"""First words of statements that can only have touched names that they mention."""


class Trust:
    """The names that are no longer trusted."""

    def __init__(self) -> None:
        self._everything = False
        self._words: set[str] = set()

    def end(self, words: Iterable[str] | None) -> None:
        """End the trust in all relations (None), or in those whose name, schema or catalog is among the words."""
        if words is None:
            self._everything = True
        else:
            self._words |= {word.casefold() for word in words}

    def ended(self, relation: Relation) -> bool:
        """True if the relation may be something else than its name says."""
        if self._everything:
            return True
        if not self._words:
            return False
        parts = {
            part.casefold() for part in (relation.name, relation.schema, *relation.identity) if isinstance(part, str)
        }
        return not self._words.isdisjoint(parts.union(*map(_WORD.findall, parts)))


def touched(first: str, text: str, tokens: Iterable[str]) -> set[str] | None:
    """The words that a statement which is not understood mentions; None if it may touch any name.

    Args:
        first: its first word, in upper case.
        text: the statement.
        tokens: texts of its tokens: names in quotes may hold more than a word.
    """
    if first in _ROWS_ONLY:
        return set()
    return {*_WORD.findall(text), *tokens} if first in _DEFINING else None
