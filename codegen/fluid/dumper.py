"""YAML as people and `kubectl` like it: keys in the order given, no wrapped lines, no anchors, scripts as blocks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import yaml

from fluid.context import Manifest

_Base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_Base):  # type: ignore[misc]
    """The C dumper with unlimited width; every mapping and text written out where it stands."""

    def ignore_aliases(self, data: object) -> bool:
        return True


# Texts that one YAML parser or another takes for a number, a date or a boolean; PyYAML knows not all of them.
_AMBIGUOUS = re.compile(r"[-+]?\.?[0-9][0-9A-Za-z_.,:+-]*|[yYnN=]|<<")


def _represent_text(dumper: Any, text: str) -> Any:
    style = "|" if _fits_block(text) else '"' if _AMBIGUOUS.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style=style)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_multi_representer(str, _represent_text)


def dump(*manifests: Manifest) -> str:
    """The manifests as YAML documents, in the order given."""
    return dump_all(manifest.to_dict() for manifest in manifests)


def dump_all(documents: Iterable[Any]) -> str:
    """JSON values as YAML documents."""
    text: str = yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**31 - 1)
    return text


def _fits_block(text: str) -> bool:
    """Whether `text` is several lines of plain characters, which every YAML parser reads back alike from a block."""
    if "\n" not in text or text[0] in " \t\n":
        return False
    lines = text.split("\n")
    return all(line.replace("\t", "").isprintable() and line == line.rstrip() for line in lines)
