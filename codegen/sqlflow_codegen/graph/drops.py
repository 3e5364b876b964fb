"""DROP: the objects that a statement removes."""

from __future__ import annotations

from sqlglot import exp

from sqlflow_codegen.graph.analysis import Analysis
from sqlflow_codegen.graph.definitions import FUNCTIONS
from sqlflow_codegen.graph.naming import Reference, Relation, Unknown
from sqlflow_codegen.graph.references import present, unwrap
from sqlflow_codegen.graph.routines import function_reference
from sqlflow_codegen.graph.walker import Walker

_STRICT = frozenset({"postgres", "sqlite", "duckdb"})
"""Dialects in which DROP TABLE IF EXISTS fails where the name is a view's, so that nothing of that name is left."""


class Drops:
    """Interprets statements that drop relations, schemas and functions."""

    def __init__(self, walker: Walker) -> None:
        self._walker = walker

    def drop(self, tree: exp.Expr, analysis: Analysis) -> None:
        """A DROP of any kind."""
        kind = str(tree.args.get("kind") or "").upper()
        targets = tree.args.get("tables") or present(tree, "this")
        cascade = bool(tree.args.get("cascade")) and analysis.catalog.names.dialect != "mysql"
        alone = cascade and not self._drops_no_more(kind, targets, analysis)
        if not targets:
            analysis.give_up("it drops what is not known")
        elif kind in ("TABLE", "VIEW", "SEQUENCE"):
            for target in targets:
                self._drop_relation(self._walker.reference(target), tree, analysis)
        elif kind == "INDEX":
            for target in targets:
                self._drop_index(tree, target, analysis)
        elif kind in ("SCHEMA", "DATABASE"):
            for target in targets:
                self._drop_schema(target, analysis)
        elif kind in FUNCTIONS:
            analysis.run_alone(f"DROP {kind} runs alone")
            for target in targets:
                relation = analysis.catalog.relation(function_reference(self._walker.reference(target)))
                analysis.catalog.functions.forget(relation)
                analysis.catalog.provenances.dropped(relation, surely=False)
        else:
            analysis.give_up(f"what DROP {kind or '...'} brings about is not followed")
        if alone:
            analysis.run_alone("CASCADE may drop more than it names")
        if cascade:
            analysis.catalog.provenances.more_dropped()

    def _drops_no_more(self, kind: str, targets: list[exp.Expr], analysis: Analysis) -> bool:
        """True if CASCADE drops nothing that the program made. In PostgreSQL that is known."""
        catalog = analysis.catalog
        if kind not in ("TABLE", "VIEW", "SEQUENCE") or catalog.provenances.binds_late:
            return False
        return not any(catalog.has_dependents(catalog.relation(self._walker.reference(each))) for each in targets)

    def _drop_relation(self, reference: Reference, tree: exp.Expr, analysis: Analysis) -> None:
        relation = analysis.catalog.relation(reference)
        if self._drop_temporary(reference, relation, analysis):
            return
        if not tree.args.get("temporary"):
            table = str(tree.args.get("kind") or "").upper() == "TABLE"
            analysis.drop(relation, view=not (table or tree.args.get("cascade")))
            for index in analysis.catalog.indexes_of(relation):
                analysis.write_index(index)
            shadowed, _ = analysis.session.find_temporary(relation, len(reference) > 1)
            surely = not shadowed and analysis.catalog.names.dialect in _STRICT
            analysis.catalog.provenances.dropped(relation, surely=surely)

    def _drop_temporary(self, reference: Reference, relation: Relation, analysis: Analysis) -> bool:
        """Note the DROP of a relation that may be temporary; True if it surely is."""
        if analysis.use_memory(reference[:-1]):
            analysis.changes_session = True
            return True
        found, certain = analysis.session.find_temporary(relation, len(reference) > 1)
        analysis.affinities |= {each.affinity for each in found}
        if certain:
            analysis.changes_session = True
            analysis.session.drop_temporary(relation, found)
        return certain

    def _drop_index(self, tree: exp.Expr, target: exp.Expr, analysis: Analysis) -> None:
        cluster = tree.args.get("cluster")
        if cluster is not None:
            analysis.write(self._walker.reference(unwrap(cluster.this)))
            return
        reference = self._walker.reference(target)
        index = analysis.catalog.relation(reference)
        if self._drop_temporary(reference, index, analysis):
            return
        tables = analysis.catalog.tables_of_index(index)
        analysis.write_index(index)
        for table in tables:
            analysis.write_relation(table)
        if not tables:
            analysis.run_alone("it drops an index of a table that is not known")

    def _drop_schema(self, target: exp.Expr, analysis: Analysis) -> None:
        catalog = analysis.catalog
        reference = self._walker.reference(target)
        schema = catalog.names.key(catalog.names.fold(reference[-1]))
        if analysis.use_memory(reference[:-1]):
            analysis.changes_session = True
            return
        analysis.run_alone("DROP SCHEMA runs alone")
        analysis.change_schema(schema)
        catalog.provenances.schema_dropped(schema)
        analysis.session.leave_schema(schema)
        if catalog.place.schema == schema and catalog.names.dialect != "postgres":
            catalog.enter("", Unknown(since=analysis.session.number))
