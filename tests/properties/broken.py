"""Graphs with one rule less: what a test patches so that a rule of the graph no longer holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlflow_codegen.graph import build, dependencies
from sqlflow_codegen.graph.analysis import Analysis
from sqlflow_codegen.graph.catalog import Catalog
from sqlflow_codegen.graph.data_objects import Effects
from sqlflow_codegen.graph.naming import Relation
from sqlflow_codegen.graph.provenance import Provenance, Provenances
from sqlflow_codegen.graph.references import References
from sqlflow_codegen.graph.routines import Routines
from sqlflow_codegen.graph.session_affinity import AffinityKind
from sqlflow_codegen.graph.session_state import SessionState

Break = Callable[[pytest.MonkeyPatch], None]


def _always(owner: type, name: str, value: Callable[[], Any]) -> Break:
    """A method that returns that, whatever it is called with."""
    return lambda patch: patch.setattr(owner, name, lambda *_args, **_kwargs: value())


def _no_hazard(hazard: str) -> Break:
    """Hazards of that kind are not found."""

    def patched(patch: pytest.MonkeyPatch) -> None:
        add = dependencies._add

        def others(found: Any, kind: str, *rest: Any) -> None:
            if kind != hazard:
                add(found, kind, *rest)

        patch.setattr(dependencies, "_add", others)

    return patched


def _effects(change: Callable[[Effects], Effects]) -> Break:
    """The effects of every statement are changed like that."""

    def patched(patch: pytest.MonkeyPatch) -> None:
        effects = build.effects
        patch.setattr(build, "effects", lambda *args: change(effects(*args)))

    return patched


def _without_temporary(effects: Effects) -> Effects:
    return replace(
        effects, session=frozenset(each for each in effects.session if each.kind is not AffinityKind.TEMPORARY)
    )


def _drop(self: Analysis, relation: Relation, *, view: bool = False) -> None:
    if self.catalog.provenances.is_own(relation):
        self.write_definition(relation)
    else:
        self.writes.add(self.catalog.resource(relation))


def _empty_bodies(patch: pytest.MonkeyPatch) -> None:
    body = Routines.body

    def patched(*args: Any, **kwargs: Any) -> References:
        body(*args, **kwargs)
        return References()

    patch.setattr(Routines, "body", patched)


BROKEN: dict[str, Break] = {
    "raw": _no_hazard(dependencies.RAW),
    "war": _no_hazard(dependencies.WAR),
    "waw": _no_hazard(dependencies.WAW),
    "existing": _always(Catalog, "provenance", lambda: Provenance.NEW),
    "views": _always(Catalog, "bases", list),
    "relatives": lambda patch: patch.setattr(Analysis, "tie", lambda self, _first, second: self.read_relation(second)),
    "sequences": _always(Analysis, "draw", lambda: None),
    "temporary": _effects(_without_temporary),
    "transactions": _always(SessionState, "begin", lambda: None),
    "session": _always(build._Steps, "_replayed", tuple),
    "barriers": _effects(lambda effects: replace(effects, barrier="")),
    "dropped": _always(Provenances, "_may_have_existed", lambda: False),
    "files": _always(Catalog, "files", set),
    "trust": _always(Catalog, "distrust", lambda: None),
    "attached": _always(Catalog, "attach", lambda: None),
    "drops": lambda patch: patch.setattr(Analysis, "drop", _drop),
    "routines": _empty_bodies,
}
"""What breaks each rule.

    raw, war, waw: read-after-write, write-after-read and write-after-write.
    existing: a relation that the program did not create may be a view over any other such relation.
    views: a read of a view that the program created reads what its definition reads.
    relatives: tables tied by foreign keys, inheritance or a shared sequence change together.
    sequences: `nextval` writes.
    temporary: statements that share a temporary table share a session.
    transactions: statements of one transaction share a session.
    session: `USE` and `SET` reach the statements after them.
    barriers: a statement that is not understood runs alone.
    dropped: a relation that is dropped and created again is not new.
    files: a read of a view or a table with its rows elsewhere reads the files that its definition names.
    trust: a statement that is not understood may have given the names that it mentions another meaning.
    attached: two database files that are attached may be one.
    drops: what existed before is dropped in the program's order, and after it was read.
    routines: a call of a function that the program created reads what its body reads.
"""
