"""What an engine did to its objects while a case ran, small enough to be kept in the repository.

One JSON line an event, in order, compressed: `{"seconds": since the watching began, "event": ADDED, MODIFIED, DELETED
or ACTION, "object": ...}`. Names that are made up for each run are replaced by fixed ones. A spec is kept where an
object is seen first only; later lines hold what may change: metadata and status.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.conformance.cases import TABLE
from tests.conformance.runner import Ran
from tests.conformance.watching import Seen

Object = dict[str, Any]

RUN = "case-run"
"""Stands for the name of the run."""
NODE = "node"
"""Stands for the name of the node."""

_NOTHING_NEW = ("managedFields", "selfLink", "resourceVersion", "generateName")
_IMAGE_ID = re.compile(r'"imageID": "[^"]*"')
_ADDRESSES = ("hostIP", "hostIPs", "podIP", "podIPs")


def write(path: Path, ran: Ran) -> None:
    """Write what the engine did in that run.

    Args:
        path: of the file; its folder is made where it is missing.
        ran: the run.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in _lines(ran))
    for name, fixed in _names(ran):
        text = text.replace(name, fixed)
    text = _IMAGE_ID.sub('"imageID": ""', text)
    # Without the time of writing: the same events give the same bytes.
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def read(path: Path) -> list[Seen]:
    """The events of a recording, compressed or not."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    entries = map(json.loads, text.splitlines())
    return [Seen(entry["seconds"], entry["event"], entry["object"]) for entry in entries]


def _names(ran: Ran) -> Iterator[tuple[str, str]]:
    """Names of this run alone and what stands for them, the longest first."""
    nodes = {seen.object.get("spec", {}).get("nodeName") for seen in ran.seen}
    yield from ((node, NODE) for node in sorted(nodes - {None}))
    yield ran.run_id.partition("/")[2], RUN
    yield ran.table, TABLE
    yield ran.table.replace("_", "-"), TABLE.replace("_", "-")


def _lines(ran: Ran) -> Iterator[Mapping[str, Any]]:
    known: set[str] = set()
    for seen in ran.seen:
        if seen.object.get("kind") == "SQLFlowJob":
            continue
        yield {"seconds": seen.seconds, "event": seen.event, "object": _slim(seen.object, known)}


def _slim(thing: Object, known: set[str]) -> Object:
    if "metadata" not in thing:
        return thing
    metadata = {key: value for key, value in thing["metadata"].items() if key not in _NOTHING_NEW}
    slim = {**thing, "metadata": metadata}
    if "status" in thing:
        slim["status"] = {key: value for key, value in thing["status"].items() if key not in _ADDRESSES}
    if metadata["uid"] in known:
        del slim["spec"]
    known.add(metadata["uid"])
    return slim
