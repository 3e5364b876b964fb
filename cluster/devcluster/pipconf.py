"""This machine's pip settings, for the time of an image build and never in the image.

An index, a proxy or a certificate bundle that this machine needs is mounted while a build runs; the finished image
knows none of it.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devcluster.process import Runner

PASSED_ON = (
    "index-url",
    "extra-index-url",
    "no-index",
    "trusted-host",
    "proxy",
    "timeout",
    "default-timeout",
    "retries",
)
"""Settings that say how packages are reached; others are this machine's own business."""

CONFIG_TARGET = "/etc/pip.conf"
CERTIFICATES_TARGET = "/run/devcluster/ca.crt"
WHEELS_TARGET = "/run/devcluster/wheels"


@dataclass(frozen=True, slots=True)
class BindMount:
    """A file or folder of this machine that a build sees.

    Attributes:
        id: name of the build secret, where mounts are made by secrets.
        source: path here.
        target: path in the build.
    """

    id: str
    source: Path
    target: str


def pip_settings(runner: Runner) -> dict[str, str]:
    """The settings of this machine's pip, from its files and its environment."""
    listing = runner.run([sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"], timeout=30)
    settings: dict[str, str] = {}
    # The environment wins over every file; pip lists it as `:env:`.
    lines = sorted(listing.out.splitlines(), key=lambda line: line.startswith(":env:")) if listing.ok else []
    for line in lines:
        match = re.match(r"(?:global|install|wheel|:env:)\.([\w-]+)=(.*)$", line)
        if match:
            settings[match[1]] = _unquoted(match[2])
    return settings


def _unquoted(value: str) -> str:
    try:
        return str(ast.literal_eval(value))
    except (SyntaxError, ValueError):
        return value


def pip_mounts(
    settings: Mapping[str, str], folder: Path, environment: Mapping[str, str] = os.environ
) -> list[BindMount]:
    """The files that a build mounts so that its pip reaches packages as this machine's does.

    Args:
        settings: of `pip_settings`.
        folder: where the configuration file for the build is written.
        environment: this process's.
    """
    lines = [f"{name} = {' '.join(settings[name].split())}" for name in PASSED_ON if settings.get(name)]
    mounts: list[BindMount] = []
    certificates = settings.get("cert") or environment.get("SSL_CERT_FILE") or environment.get("REQUESTS_CA_BUNDLE")
    if certificates and Path(certificates).is_file():
        mounts.append(BindMount("ca.crt", Path(certificates), CERTIFICATES_TARGET))
        lines.append(f"cert = {CERTIFICATES_TARGET}")
    wheels = settings.get("find-links", "")
    if wheels and Path(wheels).is_dir() and any(Path(wheels).iterdir()):
        mounts.append(BindMount("wheels", Path(wheels), WHEELS_TARGET))
        lines.append(f"find-links = {WHEELS_TARGET}")
    if not lines:
        return mounts
    config = folder / "pip.conf"
    config.write_text("\n".join(["[global]", *lines, ""]))
    return [*mounts, BindMount("pip.conf", config, CONFIG_TARGET)]
