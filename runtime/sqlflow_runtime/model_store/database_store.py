"""Models in two tables of the user's own database.

`sqlflow_models` has a row per version of a model, `sqlflow_model_blocks` its bytes in blocks of at most 1 MiB. TRAIN
adds a version in one transaction: the ledger's row, or the program's own work, commits with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.databases.rows import Row
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.model_store.store import (
    ModelStore,
    StoredModel,
    check_intact,
    check_new_name,
    digest,
    no_model,
    read_json,
    version_of,
)

MODELS = "sqlflow_models"
BLOCKS = "sqlflow_model_blocks"
BLOCK_SIZE = 1024 * 1024
"""Bytes of one block at most."""

_TRIES = 1000
"""Versions that may have been added while a transaction of the program was open."""
_TAKEN = ("23505", "1062")
"""Codes of PostgreSQL and MySQL for a key that exists."""
_COLUMNS = "name, version, metadata, size, created_at, sha256"


class DatabaseStore(ModelStore):
    """The store in a database. Its writes are part of an open transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._models, self._blocks = database.own_table(MODELS), database.own_table(BLOCKS)

    @property
    def place(self) -> str:
        """See `ModelStore`."""
        return self._models

    def prepare(self) -> None:
        """See `ModelStore`. Creates the tables unless they are there."""
        key, text, data = (self._database.type_for(kind) for kind in ("name", "json", "bytes"))
        self._database.create_own_table(
            MODELS,
            f"name {key} NOT NULL, version INTEGER NOT NULL, "
            "created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, "
            f"size BIGINT NOT NULL, sha256 CHAR(64) NOT NULL, metadata {text} NOT NULL, PRIMARY KEY (name, version)",
        )
        self._database.create_own_table(
            BLOCKS,
            f"name {key} NOT NULL, version INTEGER NOT NULL, block INTEGER NOT NULL, "
            f"content {data} NOT NULL, PRIMARY KEY (name, version, block)",
        )

    def save(self, name: str, metadata: dict[str, Any], content: bytes, *, key: str = "") -> int:
        """See `ModelStore`."""
        check_new_name(name)
        self.prepare()
        database, sha256, written = self._database, digest(content, metadata), json.dumps(metadata)
        with database.atomic():
            database.lock(f"{MODELS}/{name}")
            (last,) = database.execute(f"SELECT max(version) FROM {self._models} WHERE name = ?", (name,))[0]
            version = self._add_version(
                int(last or 0) + 1,
                f"INSERT INTO {self._models} (name, version, size, sha256, metadata) VALUES (?, ?, ?, ?, ?)",
                lambda free: (name, free, len(content), sha256, written),
            )
            for block, start in enumerate(range(0, len(content), BLOCK_SIZE)):
                database.execute(
                    f"INSERT INTO {self._blocks} (name, version, block, content) VALUES (?, ?, ?, ?)",
                    (name, version, block, content[start : start + BLOCK_SIZE]),
                )
        return version

    def _add_version(self, first: int, insert: str, row: Callable[[int], Row]) -> int:
        """Add a row with the first free version from `first`, and return that version.

        The program's own transaction may not see versions that others have added since it began.
        """
        for version in range(first, first + _TRIES):
            try:
                with self._database.atomic():
                    self._database.execute(insert, row(version))
            except RunError as failure:
                if failure.sqlstate not in _TAKEN or version == first + _TRIES - 1:
                    raise
            else:
                return version
        raise AssertionError("the last try returns or raises")

    def load(self, reference: str) -> StoredModel:
        """See `ModelStore`."""
        row = self._newest_row(reference)
        name, version, sha256 = row[0], row[1], row[5]
        parts = self._database.execute(
            f"SELECT content FROM {self._blocks} WHERE name = ? AND version = ? ORDER BY block", (name, version)
        )
        return check_intact(_model(row, b"".join(bytes(part) for (part,) in parts)), sha256, row[2])

    def describe(self, reference: str) -> StoredModel:
        """See `ModelStore`."""
        return _model(self._newest_row(reference))

    def versions(self, name: str = "") -> list[StoredModel]:
        """See `ModelStore`."""
        if not self._database.has_own_table(MODELS):
            return []
        where, parameters = ("WHERE name = ?", (name,)) if name else ("", ())
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM {self._models} {where} ORDER BY name, version", parameters
        )
        return [_model_or_damaged(row) for row in rows]

    def delete(self, reference: str) -> int:
        """See `ModelStore`."""
        found = self._newest_row(reference)
        asked = version_of(reference)
        where, parameters = "name = ?", tuple(found[:1])
        if asked == (found[0], found[1]):
            where, parameters = "name = ? AND version = ?", asked
        with self._database.atomic():
            (count,) = self._database.execute(f"SELECT count(*) FROM {self._models} WHERE {where}", parameters)[0]
            for table in (self._blocks, self._models):
                self._database.execute(f"DELETE FROM {table} WHERE {where}", parameters)
        return int(count)

    def _newest_row(self, reference: str) -> Row:
        """The row of the version that `reference` means."""
        if not self._database.has_own_table(MODELS):
            raise no_model(reference, [], self.place)
        select = f"SELECT {_COLUMNS} FROM {self._models} WHERE name = ?"
        rows = self._database.execute(f"{select} ORDER BY version DESC LIMIT 1", (reference,))
        asked = version_of(reference)
        if not rows and asked:
            rows = self._database.execute(f"{select} AND version = ?", asked)
        if not rows:
            names = self._database.execute(f"SELECT DISTINCT name FROM {self._models} ORDER BY name LIMIT 1000")
            raise no_model(reference, [str(name) for (name,) in names], self.place)
        return rows[0]


def _model(row: Row, content: bytes = b"") -> StoredModel:
    name, version, written, *_ = row
    return _of(row, read_json(name, version, written), content)


def _model_or_damaged(row: Row) -> StoredModel:
    try:
        return _model(row)
    except RunError:
        return _of(row, {})


def _of(row: Row, metadata: dict[str, Any], content: bytes = b"") -> StoredModel:
    name, version, _, size, created_at, _ = row
    return StoredModel(str(name), int(version), metadata, int(size), str(created_at).replace(" ", "T"), content)
