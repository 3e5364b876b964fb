"""The effects of one statement while its syntax tree is interpreted: relations, functions, variables, files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlflow_codegen.graph.data_objects import ANY_FILE
from sqlflow_codegen.graph.effects_builder import CATALOG_READ
from sqlflow_codegen.graph.files import file_resources
from sqlflow_codegen.graph.functions import SESSION_PARAMETERS, Verdict, judge
from sqlflow_codegen.graph.naming import Reference
from sqlflow_codegen.graph.references import References
from sqlflow_codegen.graph.relation_access import RelationAccess
from sqlflow_codegen.graph.routines import call_reference
from sqlflow_codegen.graph.session_affinity import AffinityKind, variable


class Analysis(RelationAccess):
    """The effects of one statement so far."""

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
                self.affinities.add(variable(name))
            if self.session.unclear_variables:
                self._want_writers()

    def expanded(self, found: References) -> References:
        """The same, with the references of the program's functions in the place of their names."""
        if not self.catalog.functions:
            return found
        queue, seen = list(found.functions), set[str]()
        while queue:
            function = queue.pop()
            body = None if function in seen else self._body(function)
            if body is not None:
                queue += body.functions
                found = found.merged(body)
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
            case Verdict.FILES:
                self.reads.add(ANY_FILE)
            case Verdict.FILES_WRITTEN:
                self.writes.add(ANY_FILE)
            case Verdict.CATALOG:
                self.run_alone(CATALOG_READ)
            case Verdict.LAST_CHANGE:
                self._want_writers()
            case Verdict.LAST_STATEMENT:
                self.affinities.add(self.session.affinity(AffinityKind.PREVIOUS))
            case Verdict.SESSION:
                self.run_alone(f"{function}() changes its session")
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

    def _want_writers(self) -> None:
        self.affinities.add(self.session.affinity(AffinityKind.WRITERS))
