"""A plugin of mypy: `get` with a key that a TypedDict does not have is an error.

mypy itself reports only `record["misspelled"]`; `record.get("misspelled")` is an `object`, which `==` and `or` take.
"""

from __future__ import annotations

from collections.abc import Callable

from mypy.errorcodes import TYPEDDICT_ITEM
from mypy.nodes import StrExpr
from mypy.plugin import MethodContext, Plugin
from mypy.plugins.default import typed_dict_get_callback
from mypy.types import Type, TypedDictType, get_proper_type


class TypedDictKeys(Plugin):
    """Checks the key before mypy's own plugin finds the type of the value."""

    def get_method_hook(self, fullname: str) -> Callable[[MethodContext], Type] | None:
        return _get if fullname == "typing.Mapping.get" else None


def _get(ctx: MethodContext) -> Type:
    record, key = get_proper_type(ctx.type), ctx.args[0][0] if ctx.args and ctx.args[0] else None
    if isinstance(record, TypedDictType) and isinstance(key, StrExpr) and key.value not in record.items:
        name = record.fallback.type.name
        ctx.api.fail(f'TypedDict "{name}" has no key "{key.value}"', ctx.context, code=TYPEDDICT_ITEM)
    return typed_dict_get_callback(ctx)


def plugin(version: str) -> type[Plugin]:
    """The plugin's class; mypy calls this."""
    return TypedDictKeys
