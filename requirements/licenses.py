"""Print the third-party packages of this Python environment with their licenses, as a Markdown table.

Standard library only: image builds run it with the environment that they have just filled.
"""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from importlib.metadata import Distribution, distributions
from typing import cast

STATED_ELSEWHERE = {
    "couler-scanflow": "Apache-2.0 (of its upstream, Couler; the package's metadata states none)",
    "namex": "Apache-2.0 (its LICENSE file)",
    "skops": "MIT (its LICENSE file)",
}
"""Licenses of packages whose metadata states none."""

_PREFIX = "License :: OSI Approved :: "

HEAD = """\
# Third-party packages

The full texts of the licenses are in each package's `*.dist-info` folder. psycopg is LGPL: it is used unmodified and as
a package of its own, so that it can be replaced.

| package | version | license |
| --- | --- | --- |
"""


def license_of(package: Distribution) -> str:
    """The license that a package's metadata states: an SPDX expression, a trove classifier or the first line of a text.

    Raises:
        LookupError: there is none.
    """
    metadata = cast("Message", package.metadata)
    classifiers = [
        value.removeprefix(_PREFIX) for value in metadata.get_all("Classifier", []) if value.startswith(_PREFIX)
    ]
    stated = metadata.get("License-Expression") or ", ".join(classifiers) or metadata.get("License", "").split("\n")[0]
    if stated in ("", "UNKNOWN"):
        stated = STATED_ELSEWHERE.get(str(package.name), "")
    if not stated:
        raise LookupError(f"{package.name} states no license: find it and add it to STATED_ELSEWHERE")
    return stated


def rows(packages: Iterator[Distribution]) -> list[str]:
    """A line for each package, in the order of their names; this project and pip are left out."""
    found = {str(package.name).lower(): package for package in packages}
    for own in ("sqlflow-operator", "pip", "setuptools"):
        found.pop(own, None)
    return [f"| {package.name} | {package.version} | {license_of(package)} |" for _, package in sorted(found.items())]


if __name__ == "__main__":
    print(HEAD + "\n".join(rows(iter(distributions()))))
