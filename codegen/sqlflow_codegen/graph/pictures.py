"""A graph as data and as pictures: JSON, Mermaid, Graphviz' DOT, SVG.

A statement is shown by its title: literals of the program, which may be secrets, appear in no picture. Names of the
program appear with everything encoded that the pictures' languages treat specially.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

from sqlflow_codegen.errors import Diagnostic, SQLFlowError
from sqlflow_codegen.graph.build import Edge, Graph
from sqlflow_codegen.graph.dependencies import BARRIER, SEQUENCE
from sqlflow_codegen.graph.explain import as_text

DOT_SECONDS = 60
"""Time that Graphviz gets to lay out a picture."""

_NOTE_FIELDS = ("statement", "line", "column", "message", "hint")
_PLAIN = frozenset(" abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:=+*/()-_")


def to_json(graph: Graph, notes: Sequence[Diagnostic] = ()) -> dict[str, Any]:
    """The graph as plain data: `statements`, `edges`, `steps` and `notes`, with the fields of their classes.

    Edges are those of the transitive reduction, one for every cause; `on` is `*` where a relation that existed before
    the program may be a view over another. Steps are in an order in which they may run.
    """
    step_of = {number: step.name for step in graph.steps for number in step.statements}
    return {
        "statements": [
            {
                "number": statement.number,
                "kind": statement.kind,
                "title": statement.title,
                "reads": list(effects.shown_reads),
                "writes": list(effects.shown_writes),
                "step": step_of[statement.number],
            }
            for statement, effects in zip(graph.program, graph.effects, strict=True)
        ],
        "edges": [
            {"from": edge.before, "to": edge.after, "hazard": edge.hazard, "on": edge.on} for edge in graph.edges
        ],
        "steps": [
            {"name": step.name, "statements": list(step.statements), "after": list(step.after)} for step in graph.steps
        ],
        "notes": [{key: getattr(each, key) for key in _NOTE_FIELDS} for each in notes],
    }


def to_mermaid(graph: Graph, notes: Sequence[Diagnostic] = ()) -> str:
    """A Mermaid flowchart: a box for every step, in it its statements; edges say which hazard on what.

    Notes are comments.
    """
    lines = ["flowchart TD", *(f"  %% {_printable(line)}" for line in as_text(notes))]
    for n, step in enumerate(graph.steps):
        lines.append(f'  subgraph p{n}["{_mermaid_text(step.name)}"]')
        for number in step.statements:
            label = _label(graph, number)
            shape = '{{"%s"}}' if graph.effects[number - 1].setting else '["%s"]'
            lines.append(f"    n{number}{shape % _mermaid_text(label)}")
        lines.append("  end")
    for (before, after), label in _labels(graph).items():
        text = f'|"{_mermaid_text(label)}"|' if label else ""
        lines.append(f"  n{before} -->{text} n{after}")
    return "\n".join(lines) + "\n"


def to_dot(graph: Graph, notes: Sequence[Diagnostic] = ()) -> str:
    """The same picture in the language of Graphviz."""
    lines = [
        "digraph program {",
        *(f"  // {_printable(line)}" for line in as_text(notes)),
        '  node [shape=box, fontname="Helvetica", fontsize=10];',
        '  edge [fontname="Helvetica", fontsize=9];',
    ]
    for n, step in enumerate(graph.steps):
        lines += [f"  subgraph cluster_{n} {{", f"    label={_dot_text(step.name)};", '    fontname="Helvetica";']
        for number in step.statements:
            style = ", style=dashed" if graph.effects[number - 1].setting else ""
            lines.append(f"    n{number} [label={_dot_text(_label(graph, number))}{style}];")
        lines.append("  }")
    for (before, after), label in _labels(graph).items():
        lines.append(f"  n{before} -> n{after}" + (f" [label={_dot_text(label)}];" if label else ";"))
    return "\n".join([*lines, "}"]) + "\n"


def to_svg(graph: Graph) -> str:
    """The same picture as SVG, laid out by Graphviz.

    Raises:
        SQLFlowError: Graphviz' program `dot` is not installed, or cannot lay out a graph of this size.
    """
    dot = shutil.which("dot")
    others = "`--format mermaid`, `dot` and `json` need no other program."
    if dot is None:
        raise SQLFlowError(f"an SVG is laid out by Graphviz, whose program `dot` is not installed. {others}")
    try:
        done = subprocess.run(
            [dot, "-Tsvg"], input=to_dot(graph).encode(), capture_output=True, timeout=DOT_SECONDS, check=True
        )
    except subprocess.TimeoutExpired as error:
        size = len(graph.effects)
        raise SQLFlowError(f"Graphviz lays out no {size} statements in {DOT_SECONDS} s. {others}") from error
    except (subprocess.CalledProcessError, OSError) as error:
        said = getattr(error, "stderr", b"") or str(error).encode()
        raise SQLFlowError(f"Graphviz failed: {said.decode(errors='replace').strip()}") from error
    return done.stdout.decode()


def _labels(graph: Graph) -> dict[tuple[int, int], str]:
    """For every pair of statements of which one waits for the other, why: `RAW a, b; WAR c`."""
    causes: dict[tuple[int, int], dict[str, list[str]]] = {}
    for edge in graph.edges:
        causes.setdefault((edge.before, edge.after), {}).setdefault(edge.hazard, []).append(_on(edge))
    return {
        pair: "; ".join(f"{hazard} {', '.join(on)}".rstrip() for hazard, on in hazards.items() if hazard != SEQUENCE)
        for pair, hazards in causes.items()
    }


def _on(edge: Edge) -> str:
    return "" if edge.hazard == BARRIER else edge.on


def _label(graph: Graph, number: int) -> str:
    return f"{number}: {graph.program.statement(number).title}"


def _mermaid_text(text: str) -> str:
    return "".join(char if char in _PLAIN else f"#{ord(char)};" for char in text)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _dot_text(text: str) -> str:
    return '"' + _printable(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
