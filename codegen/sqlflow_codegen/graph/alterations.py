"""ALTER and RENAME: statements that change a relation's definition or its name."""

from __future__ import annotations

from sqlglot import exp

from sqlflow_codegen.graph.analysis import Analysis
from sqlflow_codegen.graph.definitions import Definitions
from sqlflow_codegen.graph.effects_builder import ALL_CHECKED
from sqlflow_codegen.graph.naming import Reference
from sqlflow_codegen.graph.provenance import Provenance
from sqlflow_codegen.graph.references import unwrap
from sqlflow_codegen.graph.walker import Walker

_CHANGES = (
    exp.AddConstraint,
    exp.AddPartition,
    exp.AlterColumn,
    exp.AlterRename,
    exp.ColumnDef,
    exp.Drop,
    exp.DropPartition,
    exp.RenameColumn,
    exp.SwapTable,
)
_CHECKED = (exp.AlterRename, exp.RenameColumn, exp.Drop)
_ONLY_NAMES = (exp.AlterRename, exp.SwapTable, exp.Drop)


class Alterations:
    """Interprets statements that change relations."""

    def __init__(self, walker: Walker, definitions: Definitions) -> None:
        self._walker = walker
        self._definitions = definitions

    def alter(self, tree: exp.Expr, analysis: Analysis) -> None:
        """An ALTER TABLE, VIEW or INDEX."""
        kind = str(tree.args.get("kind") or "").upper()
        actions = list(tree.args.get("actions") or ())
        if kind not in ("TABLE", "VIEW", "INDEX") or not all(isinstance(each, _CHANGES) for each in actions):
            analysis.give_up(f"what ALTER {kind or '...'} brings about is not followed")
            return
        reference = self._walker.reference(unwrap(tree.this))
        if kind == "INDEX":
            self._alter_index(reference, actions, analysis)
            return
        if analysis.catalog.names.dialect == "sqlite" and any(isinstance(each, _CHECKED) for each in actions):
            analysis.run_alone(ALL_CHECKED)
        renamed = [each for each in actions if isinstance(each, exp.AlterRename | exp.SwapTable)]
        analysis.write(reference)
        relation = analysis.catalog.relation(reference)
        self._definitions.tie_serials(reference, actions, analysis)
        self._definitions.name_keys(reference, actions, analysis)
        details = self._walker.collect(each for each in actions if not isinstance(each, _ONLY_NAMES))
        for function in details.functions:
            analysis.call(function)  # a type may be changed by calling it
        self._definitions.tie(relation, details, analysis)
        for each in renamed:
            change = self.swap if isinstance(each, exp.SwapTable) else self.rename
            change(reference, self._walker.reference(unwrap(each.this)), analysis)
        if any(each.args.get("cascade") for each in (tree, *actions)):
            analysis.run_alone("CASCADE may drop more than it names")
            analysis.catalog.provenances.more_dropped()

    def _alter_index(self, reference: Reference, actions: list[exp.Expr], analysis: Analysis) -> None:
        catalog = analysis.catalog
        tables = catalog.tables_of_index(catalog.relation(reference))
        analysis.write_index(catalog.relation(reference))
        if not tables:
            analysis.run_alone("it alters an index of a table that is not known")
        for table in tables:
            analysis.write_relation(table)
            for each in actions:
                if isinstance(each, exp.AlterRename):
                    target = self._walker.reference(unwrap(each.this))
                    renamed = catalog.relation((*reference[:-1], target[-1]))
                    analysis.write_index(renamed)
                    catalog.add_index(renamed, table)

    def rename(self, old: Reference, new: Reference, analysis: Analysis) -> None:
        """A relation gets another name; views over it may follow it or stay with the name."""
        catalog, session = analysis.catalog, analysis.session
        relation = catalog.relation(old)
        found, certain = session.find_temporary(relation, len(old) > 1)
        if found:
            analysis.affinities |= {each.affinity for each in found}
            bases = tuple(base for each in found for base in each.bases)
            analysis.create_temporary(catalog.relation(new), bases, certain=certain)
            if certain:
                session.drop_temporary(relation, found)
                return
        names = [new] if len(new) > 1 else [(*old[:-1], new[-1]), new]
        for name in dict.fromkeys(names):
            renamed = catalog.relation(name)
            analysis.write_definition(relation)
            analysis.write_definition(renamed)
            provenance = catalog.provenance(relation)
            catalog.provenances.created(renamed, plain=provenance > Provenance.EXISTING, most=provenance)
            if catalog.is_view(relation):
                bases = tuple(catalog.bases(relation) or ())
                catalog.define_view(renamed, bases, volatile=catalog.is_volatile(relation))
            catalog.add_files(renamed, catalog.files(relation))
            analysis.tie(relation, renamed)
        catalog.provenances.dropped(relation, surely=True)

    def swap(self, first: Reference, second: Reference, analysis: Analysis) -> None:
        """Two relations exchange their names."""
        relations = [analysis.catalog.relation(first), analysis.catalog.relation(second)]
        analysis.tie(*relations)
        for relation in relations:
            analysis.expose(relation)
