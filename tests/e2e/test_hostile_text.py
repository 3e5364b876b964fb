"""User text is data: what the database answers is what the manifest said, byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from tests.e2e.conftest import records
from tests.e2e.kube import Kube
from tests.hostile import HOSTILE_TEXTS, literal, program

pytestmark = pytest.mark.e2e


def test_hostile_texts_come_back_byte_for_byte(kube: Kube, submit: Callable[..., str]) -> None:
    name = submit(program())
    job = kube.wait_phase(name, "Succeeded")
    (step,) = job["status"]["steps"]
    rows = [r["values"][0] for r in records(kube, job, step["name"]) if r["type"] == "row"]
    assert dict(zip(HOSTILE_TEXTS, rows, strict=True)) == HOSTILE_TEXTS


def test_database_got_the_same_bytes(kube: Kube, submit: Callable[..., str], table: str) -> None:
    """Not only what comes back, also what is stored: the database's own digest of each text."""
    inserts = "".join(
        f"INSERT INTO {table} VALUES ({n}, {literal(t)});\n" for n, t in enumerate(HOSTILE_TEXTS.values())
    )
    name = submit(f"CREATE TABLE {table} (n int, t text);\n{inserts}")
    kube.wait_phase(name, "Succeeded")
    stored = kube.psql(f"SELECT encode(sha256(convert_to(t, 'UTF8')), 'hex') FROM {table} ORDER BY n")
    assert [row[0] for row in stored] == [hashlib.sha256(t.encode()).hexdigest() for t in HOSTILE_TEXTS.values()]
