"""Brief statements: they change the catalog but no rows, and take no time worth a pod.

A pod takes seconds to start; these take milliseconds, however large the tables are.
"""

from __future__ import annotations

from sqlglot import exp

BRIEF_WORDS = frozenset(
    ["GRANT", "REVOKE", "SHOW", "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"]
)
"""First words of such statements, as far as no syntax tree is made of them."""
FEW_ROWS = 100
"""An INSERT of no more rows than that, all of them constants, counts as brief."""

_KINDS = frozenset({"VIEW", "SCHEMA", "DATABASE", "SEQUENCE", "FUNCTION", "MACRO"})
_RENAMES = (exp.AlterRename, exp.RenameColumn, exp.SwapTable)
_CONSTANTS = (exp.Literal, exp.Null, exp.Boolean, exp.Neg)


def is_brief(tree: exp.Expr) -> bool:
    """True if the statement takes next to no time, whatever is in the database; a lock may still make it wait."""
    if isinstance(tree, exp.Drop | exp.TruncateTable | exp.Comment):
        return True
    if isinstance(tree, exp.Alter):
        actions = tree.args.get("actions") or ()
        return bool(actions) and all(isinstance(each, _RENAMES) for each in actions)
    if isinstance(tree, exp.Create):
        return _creates_nothing(tree)
    return isinstance(tree, exp.Insert) and _few_constants(tree)


def _creates_nothing(tree: exp.Create) -> bool:
    """True if it creates a definition without rows."""
    kind = str(tree.args.get("kind") or "").upper()
    if kind == "TABLE":
        return not (tree.args.get("expression") or tree.args.get("clone"))
    properties = tree.args.get("properties")
    stored = properties is not None and properties.find(exp.MaterializedProperty, exp.DynamicProperty) is not None
    return kind in _KINDS and not stored


def _few_constants(tree: exp.Insert) -> bool:
    rows = tree.args.get("expression")
    if not isinstance(rows, exp.Values) or len(rows.expressions) > FEW_ROWS:
        return False
    cells = [cell for row in rows.expressions for cell in (row.expressions if isinstance(row, exp.Tuple) else [row])]
    return all(isinstance(cell, _CONSTANTS) for cell in cells)
