"""CREATE: the relations, schemas, functions and other objects that a statement defines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set

from sqlglot import exp

from sqlflow_codegen.graph.analysis import Analysis
from sqlflow_codegen.graph.data_objects import DataObject
from sqlflow_codegen.graph.effects_builder import NEW_SCHEMA
from sqlflow_codegen.graph.external import ExternalData, of_properties, own_tables
from sqlflow_codegen.graph.files import file_resources
from sqlflow_codegen.graph.functions import Verdict, judge
from sqlflow_codegen.graph.naming import Reference, Relation
from sqlflow_codegen.graph.provenance import Doubt
from sqlflow_codegen.graph.references import References, present, unwrap
from sqlflow_codegen.graph.routines import Routines, call_reference, function_reference
from sqlflow_codegen.graph.sql_parser import NotUnderstoodError
from sqlflow_codegen.graph.walker import Walker

_SERIALS = frozenset({exp.DType.SERIAL, exp.DType.BIGSERIAL, exp.DType.SMALLSERIAL})
HIDDEN_WRITERS = frozenset({"TRIGGER", "RULE", "EVENT", "POLICY"})
"""Objects that make a statement change more than it names."""

FUNCTIONS = frozenset({"FUNCTION", "PROCEDURE", "MACRO"})


class Definitions:
    """Interprets statements that create relations."""

    def __init__(self, walker: Walker, routines: Routines) -> None:
        self._walker = walker
        self._routines = routines
        self._handlers: dict[str, Callable[[exp.Expr, Analysis], None]] = {
            "TABLE": self._create_table,
            "SEQUENCE": self._create_table,
            "VIEW": self._create_view,
            "INDEX": self._create_index,
            "SCHEMA": self._create_schema,
            "DATABASE": self._create_schema,
            "FUNCTION": self._create_function,
            "MACRO": self._create_function,
        }

    def create(self, tree: exp.Expr, analysis: Analysis) -> None:
        """A CREATE of any kind."""
        kind = str(tree.args.get("kind") or "").upper()
        handler = self._handlers.get(kind)
        if handler is not None:
            handler(tree, analysis)
            return
        if kind in FUNCTIONS:
            analysis.catalog.user_functions = True
        analysis.give_up(f"what CREATE {kind or '...'} brings about is not followed")
        if kind in HIDDEN_WRITERS:
            analysis.catalog.distrust_names()

    def _create_table(self, tree: exp.Expr, analysis: Analysis) -> None:
        schema = tree.args.get("this")
        reference = self._walker.reference(unwrap(schema))
        columns = schema.expressions if isinstance(schema, exp.Schema) else []
        details = self._walker.collect([*columns, *present(tree, "properties", "indexes")])
        analysis.mention(self._walker.collect(present(tree, "expression", "clone")))
        if _has(tree, exp.DynamicProperty):
            self._create_view(tree, analysis)
        elif _is_temporary(tree, reference, analysis):
            relation = analysis.catalog.relation(reference)
            analysis.create_temporary(relation, passing=analysis.drops_on_commit)
            analysis.mention(details)
        else:
            external = of_properties(_properties(tree))
            relation = self._created(reference, analysis, tree=tree, own_rows=not external)
            self._read_external(relation, external, analysis)
            self.tie_serials(reference, columns, analysis)
            self.name_keys(reference, columns, analysis)
            self.tie(relation, details, analysis)

    def create_external(self, name: Reference, found: ExternalData, analysis: Analysis) -> None:
        """A table whose rows lie elsewhere."""
        self._read_external(self._created(name, analysis, own_rows=False), found, analysis)

    def create_virtual(self, name: Reference, found: ExternalData, analysis: Analysis) -> None:
        """A virtual table of SQLite: it has tables of its own, and may show the rows of another one."""
        if is_temporary_name(name, analysis):
            bases = tuple(analysis.catalog.relation(each) for each in found.tables)
            analysis.create_temporary(analysis.catalog.relation(name), bases)
            for each in own_tables(name):
                analysis.create_temporary(analysis.catalog.relation(each), bases)
            if found.files or found.unclear:
                analysis.give_up("what a temporary virtual table reads is not followed")
                analysis.keep_in_session()
            return
        relation = self._created(name, analysis, own_rows=not (found.files or found.unclear))
        for each in own_tables(name):
            own = analysis.catalog.relation(each)
            analysis.catalog.provenances.created(own, plain=True)
            analysis.catalog.define_view(own, [relation], volatile=False)
        self._read_external(relation, found, analysis)

    def _read_external(self, relation: Relation, found: ExternalData, analysis: Analysis) -> None:
        """Note the tables and files that a table shows besides rows of its own."""
        catalog = analysis.catalog
        if not found:
            return
        catalog.define_view(
            relation, [catalog.relation_anywhere(each) for each in found.tables], volatile=found.unclear
        )
        catalog.add_files(relation, found.files)
        analysis.reads |= catalog.files(relation)

    def tie_serials(self, reference: Reference, columns: Iterable[object], analysis: Analysis) -> None:
        """Tie a table to the sequences that PostgreSQL makes for its columns."""
        if analysis.catalog.names.dialect != "postgres":
            return
        for column in columns:
            if not isinstance(column, exp.ColumnDef):
                continue
            kind = column.args.get("kind")
            serial = isinstance(kind, exp.DataType) and kind.this in _SERIALS
            if serial or column.find(exp.GeneratedAsIdentityColumnConstraint) is not None:
                table = analysis.catalog.names.fold(reference[-1])
                sequence = (*reference[:-1], (f"{table}_{column.name}_seq", True))
                analysis.catalog.provenances.created(analysis.catalog.relation(sequence), plain=True)
                analysis.tie(analysis.catalog.relation(reference), analysis.catalog.relation(sequence))

    def name_keys(self, reference: Reference, parts: Iterable[object], analysis: Analysis) -> None:
        """Note the names of foreign keys, which no two tables of a MySQL database may share."""
        if analysis.catalog.names.dialect != "mysql":
            return
        for part in parts:
            for key in part.find_all(exp.Constraint, exp.Drop) if isinstance(part, exp.Expr) else ():
                names = key.args.get("tables") if isinstance(key, exp.Drop) else [key.args.get("this")]
                for name in names or ():
                    if isinstance(name, exp.Identifier | exp.Table):
                        relation = analysis.catalog.relation((*reference[:-1], (name.name, False)))
                        analysis.write_index(relation)
                        analysis.catalog.add_index(relation, analysis.catalog.relation(reference))

    def _created(
        self, reference: Reference, analysis: Analysis, *, tree: exp.Expr | None = None, own_rows: bool = True
    ) -> Relation:
        """Note that a relation, not a temporary one, is created; `own_rows` unless its rows lie elsewhere."""
        relation, provenances = analysis.catalog.relation(reference), analysis.catalog.provenances
        replaces = tree is not None and bool(tree.args.get("replace"))
        exists = tree is not None and bool(tree.args.get("exists"))
        if replaces and own_rows and provenances.binds_late:
            analysis.drop(relation)
            provenances.replaced(relation)
        else:
            doubt = Doubt.KEPT if exists else Doubt.REPLACED if replaces else Doubt.EXISTED
            provenances.created(relation, plain=own_rows and not replaces and not exists, doubt=doubt)
        analysis.write_definition(relation)
        return relation

    def tie(self, relation: Relation, details: References, analysis: Analysis) -> None:
        """Tie a table to the relations that its columns, keys and properties refer to."""
        details = analysis.expanded(details)
        for other in (*details.reads, *details.sequences):
            if other:
                analysis.tie(relation, analysis.catalog.relation(other))
            else:
                analysis.catalog.mark_volatile(relation)
        for function in details.functions:
            if _may_do_more(function, analysis):
                analysis.catalog.mark_volatile(relation)
        analysis.catalog.add_files(relation, file_resources(details.files))
        if details.writes or details.into:
            analysis.give_up("its definition writes")

    def _create_view(self, tree: exp.Expr, analysis: Analysis) -> None:
        reference = self._walker.reference(unwrap(tree.args.get("this")))
        body = analysis.expanded(self._walker.collect(present(tree, "expression")))
        if body.writes or body.into:
            analysis.give_up("its definition writes")
        files = file_resources(body.files) | set(of_properties(_properties(tree)).files)
        analysis.reads |= files
        before = set(analysis.affinities)
        for each in body.reads:
            analysis.read(each)
        over_temporary = analysis.affinities != before
        if _has(tree, exp.MaterializedProperty):
            analysis.mention(References(functions=body.functions, sequences=body.sequences))
        bases = tuple(dict.fromkeys(analysis.catalog.relation(each) for each in body.reads))
        volatile = bool(body.sequences) or any(_may_do_more(each, analysis) for each in body.functions)
        temporary = _is_temporary(tree, reference, analysis)
        if temporary or over_temporary:
            relation = analysis.catalog.relation(reference)
            analysis.create_temporary(relation, bases, certain=temporary)
            if volatile:
                analysis.give_up("a temporary view calls functions that are not known")
            if temporary:
                analysis.catalog.add_files(relation, files)
        if not temporary:
            relation = self._created(reference, analysis, tree=tree)
            self._define(relation, body, files, analysis, volatile=volatile)

    def _create_index(self, tree: exp.Expr, analysis: Analysis) -> None:
        index = tree.args.get("this")
        table = unwrap(index.args.get("table")) if index is not None else None
        name = index.args.get("this") if index is not None else None
        schema: Reference = ()
        params = index.args.get("params") if index is not None else None
        on = params.args.get("on") if params is not None else None
        if isinstance(on, exp.Func):  # how sqlglot reads SQLite's CREATE INDEX schema.name ON table (...)
            schema = ((name.name, False),) if isinstance(name, exp.Identifier) else ()
            name, table = table.this if table is not None else None, exp.to_table(on.name)
        reference = (*schema, *self._walker.reference(table))
        if analysis.use_temporary(reference, analysis.writes):
            if isinstance(name, exp.Identifier) and analysis.catalog.names.dialect != "mysql":
                analysis.create_temporary(analysis.catalog.relation(((name.name, name.quoted),)))
            return
        analysis.write_relation(analysis.catalog.relation(reference))
        if isinstance(name, exp.Identifier) and analysis.catalog.names.dialect != "mysql":
            named = (*reference[:-1], (name.name, name.quoted))
            relation = analysis.catalog.relation(named)
            analysis.write_index(relation, unless_there=bool(tree.args.get("exists")))
            analysis.catalog.add_index(relation, analysis.catalog.relation(reference))

    def _create_schema(self, tree: exp.Expr, analysis: Analysis) -> None:
        names = analysis.catalog.names
        kind = str(tree.args["kind"]).upper()
        if present(tree, "expression", "clone"):
            analysis.give_up("it creates more than a schema")
        if kind == "DATABASE" and names.dialect == "postgres":
            analysis.run_alone("CREATE DATABASE runs alone")
            return
        if names.dialect == "postgres" and not analysis.catalog.place.schema:
            analysis.run_alone(NEW_SCHEMA)
        reference = self._walker.reference(tree.this)
        if analysis.use_memory(reference[:-1]):
            analysis.changes_session = True
            return
        analysis.change_schema(names.key(names.fold(reference[-1])))

    def _create_function(self, tree: exp.Expr, analysis: Analysis) -> None:
        """Note a function: like a view, it stands for the relations that its body reads."""
        catalog = analysis.catalog
        name = self._routines.name(tree)
        body = self._routines.body(tree, trusted=not catalog.conservative)
        if _is_temporary(tree, name, analysis):
            raise NotUnderstoodError("a temporary function is not followed")
        all_of_it = analysis.expanded(body)
        for each in all_of_it.reads:
            analysis.read(each)
        relation = self._created(function_reference(name), analysis, tree=tree)
        others = [each for each in all_of_it.functions if catalog.relation(call_reference(each)) != relation]
        volatile = any(_may_do_more(each, analysis) for each in others)
        self._define(relation, all_of_it, file_resources(all_of_it.files), analysis, volatile=volatile)
        catalog.functions.define(relation, body)

    def _define(
        self, relation: Relation, body: References, files: Set[DataObject], analysis: Analysis, *, volatile: bool
    ) -> None:
        """Note the relations and files that are read through a view or a function."""
        bases = tuple(dict.fromkeys(analysis.catalog.relation(each) for each in body.reads))
        analysis.catalog.define_view(relation, bases, volatile=volatile)
        analysis.catalog.add_files(relation, files)
        for base in bases:
            analysis.expose(base, analysis.catalog.provenance(relation))


def _may_do_more(function: str, analysis: Analysis) -> bool:
    """True if a definition that calls the function is volatile."""
    verdict = judge(function, analysis.catalog.names.dialect)
    if verdict in (Verdict.WRITES, Verdict.READS):
        return analysis.catalog.conservative or analysis.catalog.user_functions
    return verdict not in (Verdict.HARMLESS, Verdict.SEQUENCE, Verdict.FILES)


def _properties(tree: exp.Expr) -> list[exp.Expr]:
    properties = tree.args.get("properties")
    return properties.expressions if properties is not None else []


def _has(tree: exp.Expr, *kinds: type[exp.Expr]) -> bool:
    return any(isinstance(each, kinds) for each in _properties(tree))


def _is_temporary(tree: exp.Expr, reference: Reference, analysis: Analysis) -> bool:
    if _has(tree, exp.TemporaryProperty):
        return True
    return is_temporary_name(reference, analysis)


def is_temporary_name(reference: Reference, analysis: Analysis) -> bool:
    """True if the name is of a schema that only this session sees."""
    if analysis.use_memory(reference[:-1]):
        return True
    return len(reference) > 1 and reference[-2][0].lower() == analysis.session.temporary_schema
