"""Data objects and effects: the relations, models and files that statements read and write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sqlflow_codegen.graph.naming import Relation
from sqlflow_codegen.graph.provenance import Doubt
from sqlflow_codegen.graph.session_affinity import SessionAffinity

TABLE = "table"
MODEL = "model"
GROUP = "group"
INDEX = "index"
SCHEMA = "schema"
FILES = "files"
ALL = "all"
DROPS = "drops"
FREED = "freed"


class DataObject(NamedTuple):
    """Something read or written.

    Attributes:
        kind: `table` (any relation), `model`, or one that is not shown: `group` (tables tied by foreign keys,
            inheritance or a sequence), `index`, `schema`, `files`, `all` (the relations that the program did not
            create), `drops` and `freed` (objects that a DROP of one of those may change).
        schema: of a relation, folded; "" if not known. Of a file, its folder.
        name: folded.
        shown: how people see it.
    """

    kind: str
    schema: str
    name: str
    shown: str


EXISTING = DataObject(ALL, "", "existing", "*")
"""All relations that the program did not create: any may be a view over any other."""

CODE = DataObject(ALL, "", "code", "*")
"""Code that existed before: a change of a relation that the program did not create may run a trigger that names others.

A change of such a relation writes it; a use of a relation that was dropped and made again reads it.
"""
ANY_DROP = DataObject(DROPS, "", "drops", "drops")
"""All relations that existed before and are dropped: views and keys among them decide the order of the DROPs."""
ANY_NAME = DataObject(FREED, "", "names", "drops")
"""Names of indexes and keys that a DROP gives up. Who takes one waits for the DROPs before; no DROP waits for that."""

ANY_FILE = DataObject(FILES, "", "files", "files")
"""Whatever file there may be; stands for all files of the program."""
ANY_SCHEMA = DataObject(SCHEMA, "", "*", "schemas")


def read_by_name(relation: Relation) -> DataObject:
    """A relation made again, as far as views that existed before may read it by its name."""
    return DataObject(ALL, relation.schema, relation.name, "*")


@dataclass(frozen=True, slots=True)
class Effects:
    """The effects of one statement that others can notice.

    Attributes:
        reads, writes: the data objects; views of the program with the relations that their definitions read.
        barrier: why it must run after all before it and before all after it; "" if it need not.
        understood: False if the barrier is there because nothing is known about it; then it may have
            created views or triggers.
        session: its affinities; statements that have one in common must run in one session.
        setting: it only sets up the session, and a replay at the start of later steps gives the same.
        only_session: it leaves nothing behind but session state (a setting, a temporary table and its rows, a
            prepared statement); a step that is tried again runs it again.
        controls: it begins or ends a transaction, or acts inside one only; repeated if a statement of the same
            transaction is `only_session`.
        changes_session: it leaves something in its session, perhaps among other things.
        reaches_later: it changes sessions that begin later, but not its own.
        hint: a way to avoid the barrier.
        brief: whether it takes no time worth a step of its own.
        unclear: names of relations that it changes where others may be changed with them, or read through them.
    """

    reads: frozenset[DataObject] = frozenset()
    writes: frozenset[DataObject] = frozenset()
    barrier: str = ""
    understood: bool = True
    session: frozenset[SessionAffinity] = frozenset()
    setting: bool = False
    only_session: bool = False
    controls: bool = False
    changes_session: bool = False
    reaches_later: bool = False
    hint: str = ""
    brief: bool = False
    unclear: tuple[tuple[str, Doubt], ...] = ()

    @property
    def shown_reads(self) -> tuple[str, ...]:
        """Names of the relations and models read, sorted."""
        return _shown(self.reads)

    @property
    def shown_writes(self) -> tuple[str, ...]:
        """Names of the relations and models written, sorted."""
        return _shown(self.writes)


def _shown(resources: frozenset[DataObject]) -> tuple[str, ...]:
    return tuple(sorted({each.shown for each in resources if each.kind in (TABLE, MODEL)}))
