"""Checks of the container images that a program names, and of the command of TO RUN."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlflow_codegen.language import ir
from sqlflow_codegen.language.source import Problem

_DOMAIN = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]+)?"
_PART = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_IMAGE = re.compile(rf"(?:{_DOMAIN}/)?{_PART}(?:/{_PART})*(?::{_TAG})?(?:@{_DIGEST})?")
"""The grammar of image references, as container registries have it."""


def check_image(image: str, name: ir.Name) -> Iterator[Problem]:
    """An image reference that no container runtime takes; `name` is where it stands."""
    if not _IMAGE.fullmatch(image):
        hint = "Write [registry[:port]/]name[:tag], the name in lower case: hub:5000/team/binning:1.0."
        yield Problem("invalid-image", f"`{image}` is no container image", name.span.start, hint)


def check_run(statement: ir.RunStatement) -> Iterator[Problem]:
    """Faults that keep a step from running the command."""
    yield from check_image(statement.image.text, statement.image)
    if not any(statement.command[:1]):
        message = "TO RUN needs CMD and a program after it: a step does not know the image's own command"
        hint = "Write it: TO RUN image CMD 'program', 'argument'."
        yield Problem("missing-clause", message, statement.image.span.start, hint)
