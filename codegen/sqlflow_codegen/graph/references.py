"""References in syntax trees: relations, functions, sequences, variables and files; names are as written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlglot import exp

from sqlflow_codegen.graph.naming import Reference

LEAVES = frozenset(
    {exp.Identifier, exp.Literal, exp.Star, exp.Var, exp.Null, exp.Boolean, exp.DataType, exp.Placeholder}
)
"""Nodes that hold no references."""


@dataclass(slots=True)
class References:
    """The references in a tree, in the order found.

    Attributes:
        reads, writes: relations whose rows it reads, changes.
        functions: functions that sqlglot does not know, lower case, `schema.name` if qualified.
        sequences: sequences that it draws from or sets; `()` stands for one whose name is computed.
        variables, assigned: session variables (`@x`) that it mentions, and those of them that it sets.
        parameters: MySQL's `@@` variables, lower case.
        into: relation that a SELECT ... INTO creates, and whether it is temporary.
        files: names of files that it reads; "" for one that it computes.
        writes_files: whether it writes files.
    """

    reads: list[Reference] = field(default_factory=list)
    writes: list[Reference] = field(default_factory=list)
    functions: dict[str, None] = field(default_factory=dict)
    sequences: list[Reference] = field(default_factory=list)
    variables: set[str] = field(default_factory=set)
    assigned: set[str] = field(default_factory=set)
    parameters: set[str] = field(default_factory=set)
    into: list[tuple[Reference, bool]] = field(default_factory=list)
    files: dict[str, None] = field(default_factory=dict)
    writes_files: bool = False

    def merged(self, other: References) -> References:
        """The references of both."""
        return References(
            reads=[*self.reads, *other.reads],
            writes=[*self.writes, *other.writes],
            functions=self.functions | other.functions,
            sequences=[*self.sequences, *other.sequences],
            variables=self.variables | other.variables,
            assigned=self.assigned | other.assigned,
            parameters=self.parameters | other.parameters,
            into=[*self.into, *other.into],
            files=self.files | other.files,
            writes_files=self.writes_files or other.writes_files,
        )


def path(parts: Iterable[object]) -> Reference:
    """The name that identifiers spell."""
    return tuple((part.name, part.quoted) for part in parts if isinstance(part, exp.Identifier))


def unwrap(node: exp.Expr | None) -> exp.Expr | None:
    """The table of `table (column, ...)`."""
    while isinstance(node, exp.Schema):
        node = node.this
    return node


def children(node: exp.Expr, skip: tuple[str, ...] = ()) -> list[exp.Expr]:
    """The child nodes that may hold references, without those under some keys."""
    return expressions([value for key, value in node.args.items() if key not in skip])


def expressions(values: Iterable[object]) -> list[exp.Expr]:
    """The nodes among values and lists of values that may hold references."""
    found: list[exp.Expr] = []
    for value in values:
        items = value if isinstance(value, list) else (value,)
        found += [item for item in items if isinstance(item, exp.Expr) and item.__class__ not in LEAVES]
    return found


def present(tree: exp.Expr, *keys: str) -> list[exp.Expr]:
    """The nodes under those keys, as far as there are any."""
    values = (tree.args.get(key) for key in keys)
    return [
        each
        for value in values
        for each in (value if isinstance(value, list) else [value])
        if isinstance(each, exp.Expr)
    ]
