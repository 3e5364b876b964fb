"""Gathers the effects of one statement while its syntax tree is interpreted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlflow_codegen.graph.catalog import Catalog
from sqlflow_codegen.graph.data_objects import (
    ANY_DROP,
    ANY_FILE,
    ANY_NAME,
    ANY_SCHEMA,
    CODE,
    EXISTING,
    FILES,
    INDEX,
    SCHEMA,
    DataObject,
    Effects,
    read_by_name,
)
from sqlflow_codegen.graph.files import file_resources
from sqlflow_codegen.graph.functions import SESSION_PARAMETERS, Verdict, judge
from sqlflow_codegen.graph.naming import Reference, Relation
from sqlflow_codegen.graph.references import References
from sqlflow_codegen.graph.routines import call_reference, merged
from sqlflow_codegen.graph.session_state import BEFORE, WRITERS, SessionState
from sqlflow_codegen.graph.standing import Standing, Why

CATALOG_READ = "it reads the database's catalogue"
NEW_SCHEMA = "a new schema may change where names are looked up"
ALL_CHECKED = "SQLite checks all views and triggers before it changes a name"
_KEYS_BY_NAME = frozenset({"mysql", "sqlite"})
"""Dialects whose foreign keys find a table by its name, one that was dropped and made again too."""
QUIET = frozenset({CATALOG_READ, NEW_SCHEMA, ALL_CHECKED})
"""Reasons to run alone that deserve no warning."""


class Analysis:
    """The effects of one statement so far."""

    def __init__(self, catalog: Catalog, session: SessionState) -> None:
        self.catalog = catalog
        self.session = session
        self.reads: set[DataObject] = set()
        self.writes: set[DataObject] = set()
        self.barrier = ""
        self.hint = ""
        self.understood = True
        self.renames = False
        """Whether what is not understood about it may change what names mean: more than an unknown function."""
        self.shares: set[str] = set()
        self.changes_session = False
        """It changes the state of its session, perhaps among other things."""
        self.only_session = False
        """It surely changes nothing else, whatever is not clear about it."""
        self.controls = False
        self.drops_on_commit = False
        """What it creates goes with its transaction."""
        self.reaches_later = False
        """It changes sessions that begin later, but not its own."""
        self.uses_view = False
        self.brief = False
        self.unclear: dict[str, Why] = {}

    def effects(self, *, setting: bool = False) -> Effects:
        """What was gathered; `setting` if the statement is to be replayed in later steps."""
        if EXISTING in self.reads and not any(each.kind == FILES for each in self.writes):
            self.reads.add(ANY_FILE)  # it may be over a file; but two COPY TO of two files need not wait for each other
        shapes = self.changes_session and self.understood and not self.writes
        return Effects(
            reads=frozenset(self.reads),
            writes=frozenset(self.writes),
            barrier=self.barrier,
            understood=self.understood,
            session=frozenset(self.shares),
            setting=setting,
            only_session=(shapes or self.only_session) and not self.controls,
            controls=self.controls,
            changes_session=self.changes_session,
            reaches_later=self.reaches_later,
            hint=self.hint,
            brief=self.brief,
            unclear=tuple(self.unclear.items()),
        )

    # -- relations

    def read(self, reference: Reference) -> None:
        """Note that a relation's rows are read."""
        if not self.use_temporary(reference, self.reads):
            self.read_relation(self.catalog.relation(reference))

    def write(self, reference: Reference) -> None:
        """Note that a relation, or its definition, is changed."""
        if not self.use_temporary(reference, self.writes):
            self.write_relation(self.catalog.relation(reference))

    def use_temporary(self, reference: Reference, into: set[DataObject]) -> bool:
        """Note the use of a temporary relation; whether that name surely means one."""
        if self.use_memory(reference[:-1]):
            self.changes_session |= into is self.writes
            for below in self._with_bases(self.catalog.relation(reference))[1:]:
                self._touch(below, into)
                into |= self.catalog.files(below)
            return True
        if not self.session.temporary:
            return False
        relation = self.catalog.relation(reference)
        found, certain = self.session.find_temporary(relation, len(reference) > 1)
        if found:
            self.reads |= self.catalog.files(relation)
        for each in found:
            self.shares.add(each.token)
            self.changes_session |= into is self.writes
            for base in each.bases:
                for below in self._with_bases(base):
                    self._touch(below, into)
                    into |= self.catalog.files(below)
        return certain

    def use_memory(self, schema: Reference) -> bool:
        """Whether a schema, with its catalog, lies in a database in memory; its statements then share a session."""
        token = self.session.memory_token(self.catalog.names.identity(part) for part in schema)
        if token:
            self.shares.add(token)
        return bool(token)

    def read_relation(self, relation: Relation) -> None:
        """Note that a relation, known not to be temporary, is read."""
        for each in self._with_bases(relation):
            self._touch(each, self.reads)
            self.reads |= self.catalog.files(each)

    def write_relation(self, relation: Relation) -> None:
        """Note that a relation, known not to be temporary, is changed; a view changes what it is defined over."""
        for each in self._with_bases(relation):
            self._touch(each, self.writes)
            self.writes |= self.catalog.files(each)

    def write_definition(self, relation: Relation) -> None:
        """Note that a relation is defined, or one of the program's dropped; rows of others, if it is a view, stay."""
        self._touch(relation, self.writes)
        for base in self.catalog.bases(relation) or ():
            self._touch(base, self.reads)

    def drop(self, relation: Relation, *, view: bool = False) -> None:
        """Note that a relation is dropped.

        Args:
            relation: the relation.
            view: whether it is one that no other can hold as a part, and nothing else is dropped with it.
        """
        catalog = self.catalog
        if catalog.standings.is_own(relation):
            self.write_definition(relation)
            return
        self.writes |= {catalog.resource(relation), *catalog.groups(relation), ANY_DROP, ANY_NAME}
        self.reads.update(catalog.resource(base) for base in catalog.bases(relation) or ())
        self._need_schema(relation)
        if catalog.standing(relation) is Standing.NEW:
            return
        if view and not catalog.standings.binds_late:
            self.reads.add(CODE)  # whatever is over it would have to be dropped before
            return
        self.writes.add(EXISTING)
        self.unclear.setdefault(relation.shown, Why.DROPPED)
        if catalog.names.dialect in _KEYS_BY_NAME:
            self.reads.update(map(read_by_name, catalog.standings.made_again))

    def write_index(self, index: Relation, *, unless_there: bool = False) -> None:
        """Note that a name of an index or a key is taken or given up; what was dropped before may have given it up."""
        self.writes.add(DataObject(INDEX, "", index.name, index.shown))
        self.reads.add(ANY_DROP if unless_there else ANY_NAME)

    def _with_bases(self, relation: Relation) -> list[Relation]:
        bases = self.catalog.bases(relation)
        if bases is None:
            self.give_up("it uses a view over very many relations", function=True)
            bases = []
        self.uses_view |= bool(bases)
        for each in (relation, *bases):
            if self.catalog.names.is_system(each):
                self.wait(CATALOG_READ)
            if self.catalog.is_restless(each):
                self.give_up(f"the definition of {each.shown} calls functions that are not known", function=True)
        return [relation, *bases]

    def _touch(self, relation: Relation, into: set[DataObject]) -> None:
        catalog = self.catalog
        catalog.used.add(relation.name)
        into.add(catalog.resource(relation))
        into.update(catalog.groups(relation))
        self._need_schema(relation)
        standing, writes = catalog.standing(relation), into is self.writes
        if standing is Standing.OLD:
            self.use_existing(write=writes)
        elif standing is Standing.AGAIN:
            self.reads.add(CODE)
            if catalog.standings.binds_late and writes:
                into.add(read_by_name(relation))
        if writes and (standing is Standing.OLD or (standing is Standing.AGAIN and catalog.standings.binds_late)):
            self.unclear.setdefault(relation.shown, catalog.standings.why(relation))

    def use_existing(self, *, write: bool) -> None:
        """Note that any relation that existed before may be read, or changed and read."""
        if write:
            self.writes |= {EXISTING, CODE}
        else:
            self.reads |= {EXISTING, *map(read_by_name, self.catalog.standings.made_again)}

    def _need_schema(self, relation: Relation) -> None:
        if self.catalog.schemas:
            self.use_schema(relation.schema)

    def use_schema(self, schema: str) -> None:
        """Note that a schema has to be there."""
        if not schema:
            self.reads.add(ANY_SCHEMA)
        elif schema in self.catalog.schemas:
            self.reads.add(DataObject(SCHEMA, "", schema, schema))

    def change_schema(self, schema: str) -> None:
        """Note that a schema is created or changed."""
        self.catalog.schemas.add(schema)
        self.writes |= {DataObject(SCHEMA, "", schema, schema), ANY_SCHEMA}

    def create_temporary(
        self, relation: Relation, bases: tuple[Relation, ...] = (), *, certain: bool = True, passing: bool = False
    ) -> None:
        """Note that a temporary relation is created, from `bases` if it is a view; see `session.Temporary`."""
        self.changes_session = True
        if self.session.memory.keys().isdisjoint((relation.schema, relation.identity.partition(".")[0])):
            self.shares.add(self.session.create_temporary(relation, bases, certain=certain, passing=passing))
            return
        self.catalog.define_view(relation, bases, restless=False)
        if self.catalog.names.dialect == "sqlite":  # which finds it by its bare name, too, if there is no other
            self.shares.add(self.session.create_temporary(relation, bases, certain=False))

    def tie(self, first: Relation, second: Relation) -> None:
        """Note that two relations change together from now on."""
        for relation in (first, second):
            self.write_relation(relation)
        self.catalog.tie(first, second)
        for relation in (first, second):
            self.write_relation(relation)

    def expose(self, relation: Relation, to: Standing = Standing.OLD) -> None:
        """Note that something of that standing depends on the relation from now on, and so may what is over that."""
        for each in self._with_bases(relation):
            if self.catalog.standing(each) > to:
                self.catalog.lower(each, to)
                self._touch(each, self.writes)

    # -- what else a statement mentions

    def mention(self, found: References) -> None:
        """Note all that a walk over the statement's tree found."""
        for reference in found.reads:
            self.read(reference)
        for reference in found.writes:
            self.write(reference)
        self.draw(found.sequences)
        for function in found.functions:
            self.call(function)
        self.use_variables(found.variables, found.assigned)
        if found.parameters & SESSION_PARAMETERS:
            self._want_writers()
        self.reads |= file_resources(found.files)
        if found.writes_files:
            self.writes.add(ANY_FILE)

    def draw(self, sequences: Iterable[Reference]) -> None:
        """Note that sequences are drawn from, which changes them."""
        for sequence in sequences:
            if sequence:
                self.write(sequence)
            else:
                self.give_up("it computes the name of a sequence")

    def use_variables(self, mentioned: Iterable[str], assigned: Iterable[str]) -> None:
        """Note session variables that the statement uses, and those that it sets to a value of its own."""
        for name in assigned:
            self.changes_session = True
            self.session.computed_variables.add(name)
        for name in (*mentioned, *assigned):
            if name in self.session.computed_variables:
                self.shares.add(f"@{name}")
            if self.session.unclear_variables:
                self._want_writers()

    def expanded(self, found: References) -> References:
        """The same, with what the program's functions mention in the place of their names."""
        if not self.catalog.functions:
            return found
        queue, seen = list(found.functions), set[str]()
        while queue:
            function = queue.pop()
            body = None if function in seen else self._body(function)
            if body is not None:
                queue += body.functions
                found = merged(found, body)
                found.reads.append(call_reference(function))
            seen.add(function)
        return replace(found, functions={each: None for each in found.functions if self._body(each) is None})

    def _body(self, function: str) -> References | None:
        relation = self.catalog.relation(call_reference(function))
        return self.catalog.functions.find(relation, trusted=not self.catalog.conservative)

    def call(self, function: str) -> None:
        """Note that a function is called that sqlglot does not know."""
        if self.catalog.functions and self._body(function) is not None:
            self.mention(self.expanded(References(functions={function: None})))
        else:
            self._call_other(function)

    def _call_other(self, function: str) -> None:
        """Note a call of a function that is not the program's, or not known."""
        match judge(function, self.catalog.names.dialect):
            case Verdict.HARMLESS | Verdict.SEQUENCE:
                pass
            case Verdict.FILES:
                self.reads.add(ANY_FILE)
            case Verdict.FILES_WRITTEN:
                self.writes.add(ANY_FILE)
            case Verdict.CATALOG:
                self.wait(CATALOG_READ)
            case Verdict.LAST_CHANGE:
                self._want_writers()
            case Verdict.LAST_STATEMENT:
                self.shares.add(f"{BEFORE}{self.session.number}")
            case Verdict.SESSION:
                self.wait(f"{function}() changes its session")
                self.keep_in_session()
            case Verdict.WRITES if self.catalog.conservative or self.catalog.user_functions:
                self.give_up(
                    f"it calls {function}(), which is not known and may write",
                    "If its functions only compute, `ordering: Lineage` runs such statements side by side.",
                    function=True,
                )
            case Verdict.READS if self.catalog.user_functions:
                self.give_up(f"it calls {function}(), which is not known", function=True)
            case Verdict.READS if self.catalog.conservative:
                self.use_existing(write=False)
            case Verdict.READS | Verdict.WRITES:
                pass

    def _want_writers(self) -> None:
        self.shares.add(f"{WRITERS}{self.session.number}")

    def keep_in_session(self, *, only: bool = False) -> None:
        """Note that what the statement leaves in its session cannot be replayed: all after it runs there.

        Args:
            only: it surely leaves nothing behind elsewhere.
        """
        self.changes_session = True
        self.only_session |= only
        self.session.stick()

    # -- barriers

    def wait(self, reason: str, hint: str = "") -> None:
        """Make the statement a barrier although it is clear what it does."""
        if not self.barrier:
            self.barrier, self.hint = reason, hint

    def give_up(self, reason: str, hint: str = "", *, function: bool = False) -> None:
        """Make the statement a barrier because it is not clear what it does.

        Args:
            reason: for people.
            hint: what they can do.
            function: all that is not clear is a function that it calls, which is trusted to leave names alone.
        """
        self.renames |= not function
        if self.understood:
            self.barrier, self.hint, self.understood = reason, hint, False
