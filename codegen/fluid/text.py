"""Rendering of text with references, and the guard for text that Tekton would misread.

Two programs replace `$(...)` in a pod: Tekton the references it knows, by plain search and replace and with no way
to escape; then the kubelet, in command, args and env values, names of environment variables, where `$$` is an
escaped `$`. So text meant literally is refused where Tekton would touch it, and escaped where the kubelet would.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from fluid.errors import LiteralError
from fluid.scope import Scope
from fluid.tekton_variables import MARK

_TEKTON = re.compile(
    r"\$\((?:params|tasks|results|workspaces|context|steps|step|finally|credentials|artifacts|inputs|outputs)[.\[][^)]*\)?"
)
_ANY_EXPRESSION = re.compile(r"\$\([_a-zA-Z0-9.-]+(?:\[(?:[0-9]+|\*)\])?\)")
_DOLLARS = re.compile(r"\$+(?=\()|\$\$+")
_TAIL = re.compile(r"\$+$")


class Place(Enum):
    """The readers of a text besides Tekton."""

    PLAIN = "plain"
    """Nobody: Tekton replaces references, the rest stays."""
    EXPANDED = "expanded"
    """The kubelet, which expands `$(NAME)`: literal `$` is escaped for it."""
    PARAM = "param"
    """Tekton's validation of parameters and conditions of a pipeline's tasks, which refuses any other `$(x)`."""


def render(text: str, where: str, scope: Scope, place: Place = Place.PLAIN) -> str:
    """Return the text as the manifest holds it, each reference checked against `scope`.

    Raises:
        UnknownReferenceError: a reference that `scope` does not know.
        LiteralError: literal text that Tekton would replace or refuse.
    """
    pieces = text.split(MARK)
    if len(pieces) == 1:
        return _literal(text, where, place, before_reference=False)
    if len(pieces) % 2 == 0:
        raise LiteralError(f"{where}: the text has half a reference or a NUL character, which Kubernetes refuses.")
    alone = len(pieces) == 3 and not pieces[0] and not pieces[2]
    rendered = []
    for index, piece in enumerate(pieces):
        if index % 2:
            scope.check(piece, where, alone=alone, env=place is Place.EXPANDED)
            rendered.append(f"$({piece})")
        else:
            rendered.append(_literal(piece, where, place, before_reference=index < len(pieces) - 1))
    return "".join(rendered)


def substituted(text: str) -> str | None:
    """Return the first piece of a text that Tekton would replace or refuse as an unknown reference, or None."""
    found = _TEKTON.search(text)
    return found[0] if found else None


def render_json(value: Any, where: str, scope: Scope) -> Any:
    """Return Kubernetes JSON with every text in it rendered; tuples become lists, mappings become dicts."""
    if isinstance(value, str):
        return render(value, where, scope)
    if isinstance(value, Mapping):
        return {str(key): render_json(item, f"{where}.{key}", scope) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [render_json(item, f"{where}[{index}]", scope) for index, item in enumerate(value)]
    return value


def _literal(text: str, where: str, place: Place, *, before_reference: bool) -> str:
    if "$" not in text:
        return text
    found = (_ANY_EXPRESSION if place is Place.PARAM else _TEKTON).search(text) or _TEKTON.search(text)
    if found:
        raise LiteralError(
            f"{where}: the text has {found[0]!r}, which Tekton would replace or refuse, and it has no escape. "
            "If a reference is meant, use the object (task.params.x, task.results.x, ...) or fluid.reference(...). "
            "If the text is meant, put it into a ConfigMap and mount that, or read it into an environment variable "
            "with fluid.ConfigMapKey."
        )
    if place is not Place.EXPANDED:
        return text
    escaped = _DOLLARS.sub(lambda dollars: dollars[0] * 2, text)
    return _TAIL.sub(lambda dollars: dollars[0] * 2, escaped) if before_reference and text[-2:] != "$$" else escaped
