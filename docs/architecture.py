"""Write docs/architecture.md from the tree: the rooms, the imports between them, and every file's job.

`python docs/architecture.py` writes the page, `--check` compares it. The job of a file is the first sentence of its
docstring.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
PACKAGES = {
    "sqlflow_cli": "cli",
    "sqlflow_operator": "operator",
    "sqlflow_runtime": "runtime",
    "sqlflow_codegen": "codegen",
    "fluid": "codegen",
    "devcluster": "cluster",
}
"""The packages, from those that import to those that are imported, and the top-level folder of each."""

HEAD = """\
# Architecture

A SQL program becomes statements (`language`), a graph of what each reads and writes and from that steps
(`graph`), a Python program of the backend (`fluid` for Tekton) and its YAML (`sandbox`). The operator creates
the child object (`workflow`) and copies the state of its pods into the job's status (`workflow/observe`,
`reconcile`); each step runs in a container of the step image (`sqlflow_runtime`) and prints records, which
`workflow/fetch` delivers. [glossary.md](glossary.md) explains the words.

`make generate` writes this page from the tree; a test compares them. An arrow means "imports", between
packages and between the rooms of one package; arrows that follow from others are left out.

"""


def arrows(graph: grimp.ImportGraph, rooms: Iterable[str]) -> list[tuple[str, str]]:
    """The imports between packages, without those that follow from others; a module belongs to the innermost one."""
    known = sorted(rooms, key=len, reverse=True)
    home = {m: next((room for room in known if m == room or m.startswith(f"{room}.")), "") for m in graph.modules}
    direct = {
        (home[module], home[other])
        for module in graph.modules
        for other in graph.find_modules_directly_imported_by(module)
        if home[module] and home[other] and home[module] != home[other]
    }
    both_ways = {(a, b) for a, b in direct if (b, a) in direct}
    needless = {
        (a, b) for a, b in direct for c in known if {(a, c), (c, b)} <= direct and not {(a, c), (c, b)} & both_ways
    }
    return sorted(direct - needless)


def picture(graph: grimp.ImportGraph, rooms: Mapping[str, Path]) -> str:
    """The packages with their rooms as a Mermaid flowchart."""
    lines = ["```mermaid", "flowchart LR"]
    found = arrows(graph, PACKAGES)
    for package in PACKAGES:
        inside = [room for room in rooms if room.startswith(f"{package}.")]
        names = [f'    {room}["{room.removeprefix(package + ".").replace(".", "/")}"]' for room in inside]
        lines += [f'  subgraph {package}["{package}"]', *(names or [f'    {package}.all["{package}"]']), "  end"]
        found += arrows(graph, inside)
    lines += [f"  {importer} --> {imported}" for importer, imported in found]
    return "\n".join([*lines, "```"])


def job_of(file: Path) -> str:
    """The first sentence of a module's docstring, on one line.

    Raises:
        ValueError: the module has none.
    """
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    if not text:
        raise ValueError(f"{file.relative_to(ROOT)} has no docstring")
    paragraph = " ".join(text.split("\n\n")[0].split())
    return re.split(r"(?<=[.])\s", paragraph)[0].rstrip(".").replace("|", "\\|")


def table(folder: Path) -> str:
    """A section for a room: its own job, then each of its files."""
    lines = [f"## `{folder.relative_to(ROOT)}`", "", f"{job_of(folder / '__init__.py')}.", ""]
    lines += ["| file | job |", "|---|---|"]
    files = sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")
    return "\n".join([*lines, *(f"| `{path.name}` | {job_of(path)} |" for path in files)]) + "\n"


def page() -> str:
    """The text of the page."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None, exclude_type_checking_imports=True)
    rooms = {
        ".".join(file.parent.relative_to(ROOT / folder).parts): file.parent
        for package, folder in PACKAGES.items()
        for file in sorted((ROOT / folder / package).rglob("__init__.py"))
    }
    sections = [table(folder) for folder in rooms.values()]
    return HEAD + picture(graph, rooms) + "\n\n" + "\n".join(sections)


def main() -> int:
    """Command line; the exit code is 1 if the page is not the one that the tree gives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page():
        return 0
    print("docs/architecture.md is out of date: run `make generate`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
