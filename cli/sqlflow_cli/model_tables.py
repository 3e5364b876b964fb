"""Models as tables for a terminal: a row for each, or a column for each with a row for each thing that is known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from sqlflow_runtime.model_store import StoredModel

from sqlflow_cli.screen import PIPE_WIDTH
from sqlflow_cli.tables import Shown

_SHOWN_CLASSES = 20


def print_table(table: Shown) -> None:
    """Print a table on standard output."""
    console = Console(highlight=False, soft_wrap=True)
    width = console.width if console.is_terminal else PIPE_WIDTH
    for part in table.renderables(width):
        console.print(part)


def summary(models: Sequence[StoredModel]) -> Shown:
    """A row for each model."""
    names = ["model", "version", "estimator", "rows", "metrics", "created", "bytes"]
    rows = [
        [
            one.name,
            one.version,
            str(one.metadata.get("estimator", "(damaged)")),
            one.metadata.get("rows"),
            ", ".join(f"{name} {value:.4g}" for name, value in one.metadata.get("metrics", {}).items()),
            one.created_at[:19],
            one.size,
        ]
        for one in models
    ]
    return _shown(names, ["text", "int", "text", "int", "text", "text", "int"], rows)


def differences(models: Sequence[StoredModel], *, everything: bool) -> Shown:
    """A column for each model, and a row for each thing that is known of them.

    Args:
        models: what to show.
        everything: false leaves out the rows in which all are equal, but not the metrics.
    """
    known = [dict(_facts(one)) for one in models]
    names = list(dict.fromkeys(name for one in known for name in one))
    rows = []
    for name in names:
        values = [one.get(name, "") for one in known]
        if everything or name.startswith("metric ") or any(value != values[0] for value in values):
            rows.append([name, *values])
    return _shown(["", *(one.reference for one in models)], ["text"] * (len(models) + 1), rows)


def _facts(model: StoredModel) -> Iterator[tuple[str, str]]:
    """All that is known of a model, by name."""
    about = model.metadata
    yield "created", model.created_at[:19]
    yield "bytes", str(model.size)
    for name in ("estimator", "task", "rows", "fingerprint"):
        if about.get(name) not in (None, ""):
            yield name, str(about[name])
    yield from _label(about.get("label"))
    for name, value in _items(about.get("attributes")):
        yield f"WITH {name}", _text(value)
    for feature in about.get("features") or ():
        yield f"column {', '.join(_columns(feature))}", _form(feature)
    for name, value in _items(about.get("metrics")):
        yield f"metric {name}", f"{value:.6g}"
    for name, value in _items(about.get("libraries")):
        yield f"library {name}", str(value)
    for name in ("image", "statement"):
        if about.get(name):
            yield name, str(about[name])


def _columns(feature: Mapping[str, Any]) -> list[str]:
    """The selected columns that a stored feature reads."""
    parts = [feature["of"]] if "of" in feature else feature.get("keys", ())
    return [name for part in parts for name in _columns(part)] or [str(feature.get("column"))]


def _form(feature: Mapping[str, Any]) -> str:
    """The way in which a stored feature becomes numbers: `indicator of category_hash`."""
    inner = feature.get("of")
    return str(feature.get("form")) + (f" of {_form(inner)}" if inner else "")


def _label(label: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    if label:
        yield "label", f"{label.get('name')} ({label.get('kind')})"
        classes = label.get("classes") or []
        if classes:
            more = f", … ({len(classes)} in all)" if len(classes) > _SHOWN_CLASSES else ""
            yield "classes", ", ".join(map(str, classes[:_SHOWN_CLASSES])) + more


def _items(found: Any) -> list[tuple[str, Any]]:
    return sorted(found.items()) if isinstance(found, dict) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _shown(names: list[str], types: list[str], rows: list[list[Any]]) -> Shown:
    return Shown(names, types, rows, [()] * len(rows))
