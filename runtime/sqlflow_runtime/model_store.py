"""The model store: two tables in the user's own database.

`sqlflow_models` has a row per version of a model, `sqlflow_model_blocks` its bytes in blocks of at most 1 MiB. TRAIN
adds a version in one transaction; nothing is ever overwritten, so a failed training leaves the older one in use.
Only formats that cannot carry code are stored (see `sqlflow_runtime.ml.trained_model`), never pickles.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlflow_codegen.language.suggest import did_you_mean

from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.databases.rows import Row
from sqlflow_runtime.errors import RunError

MODELS = "sqlflow_models"
BLOCKS = "sqlflow_model_blocks"
BLOCK_SIZE = 1024 * 1024
"""Bytes of one block at most."""

_TRIES = 1000
"""Versions that may have been added while a transaction of the program was open."""
_TAKEN = ("23505", "1062")
"""Codes of PostgreSQL and MySQL for a key that exists."""
METADATA_FORMAT = 2
"""Number of the metadata's layout; a greater one was written by a newer version of this program. From 2 on the SHA-256
is of the metadata too."""

_VERSION = re.compile(r"(?P<name>.+):(?P<version>\d{1,9})")


@dataclass(frozen=True, slots=True)
class StoredModel:
    """One version of a model as it is stored.

    Attributes:
        name: as TRAIN's INTO has it, its qualifier included; case matters.
        version: from 1.
        metadata: as JSON (see `sqlflow_runtime.ml.metadata`).
        content: the model's bytes.
    """

    name: str
    version: int
    metadata: dict[str, Any]
    content: bytes


def save_model(database: Database, name: str, metadata: dict[str, Any], content: bytes) -> int:
    """Store a new version of a model and return its number. Safe when several trainings end at once.

    Raises:
        RunError: the tables cannot be created or written.
    """
    if _VERSION.fullmatch(name):
        raise RunError(
            "model", f"{name} names a version; TRAIN always adds a new one", "Leave the :number out of INTO."
        )
    prepare_store(database)
    models, blocks = database.own_table(MODELS), database.own_table(BLOCKS)
    written = json.dumps(metadata)
    with database.atomic():
        database.lock(f"{MODELS}/{name}")
        (last,) = database.execute(f"SELECT max(version) FROM {models} WHERE name = ?", (name,))[0]
        version = _add_version(
            database,
            int(last or 0) + 1,
            f"INSERT INTO {models} (name, version, size, sha256, metadata) VALUES (?, ?, ?, ?, ?)",
            lambda free: (name, free, len(content), _digest(content, written), written),
        )
        for block, start in enumerate(range(0, len(content), BLOCK_SIZE)):
            database.execute(
                f"INSERT INTO {blocks} (name, version, block, content) VALUES (?, ?, ?, ?)",
                (name, version, block, content[start : start + BLOCK_SIZE]),
            )
    return version


def _add_version(database: Database, first: int, insert: str, row: Callable[[int], Row]) -> int:
    """Add a row with the first free version from `first`, and return that version.

    The program's own transaction may not see versions that others have added since it began.
    """
    for version in range(first, first + _TRIES):
        try:
            with database.atomic():
                database.execute(insert, row(version))
        except RunError as failure:
            if failure.sqlstate not in _TAKEN or version == first + _TRIES - 1:
                raise
        else:
            return version
    raise AssertionError("the last try returns or raises")


def load_model(database: Database, reference: str) -> StoredModel:
    """Return the newest version of a model, or the version that `name:number` asks for.

    Raises:
        RunError: kind `model`; there is none, or what is stored is not what was stored.
    """
    name, version, size, digest, written = _newest_row(database, reference)
    metadata = _metadata(name, version, written)
    blocks = database.own_table(BLOCKS)
    parts = database.execute(
        f"SELECT content FROM {blocks} WHERE name = ? AND version = ? ORDER BY block", (name, version)
    )
    content = b"".join(bytes(part) for (part,) in parts)
    hashed = _digest(content, written if metadata["format"] >= 2 else "")
    if len(content) != size or hashed != digest:
        raise damaged(name, version, "it has not the SHA-256 that TRAIN noted")
    return StoredModel(name, int(version), metadata, content)


def load_metadata(database: Database, reference: str) -> dict[str, Any]:
    """Return the metadata of that model; its content is not read.

    Raises:
        RunError: kind `model`; there is none.
    """
    name, version, _, _, written = _newest_row(database, reference)
    return _metadata(name, version, written)


def _metadata(name: str, version: int, written: Any) -> dict[str, Any]:
    try:
        found = json.loads(written)
    except (ValueError, TypeError, RecursionError) as error:
        raise damaged(name, version, f"its metadata is no JSON: {error}") from error
    if not isinstance(found, dict) or type(found.get("format")) is not int or found["format"] < 1:
        raise damaged(name, version, "its metadata is not what TRAIN writes")
    if found["format"] > METADATA_FORMAT:
        raise RunError(
            "model",
            f"the stored model {name} was written by a newer version of sqlflow",
            "Use the image that trained it, or train it again.",
        )
    return found


def damaged(name: str, version: int, reason: str) -> RunError:
    """The failure of a stored model that is not what TRAIN stored."""
    older = f", or use an older version: USING {name}:{int(version) - 1}" if int(version) > 1 else ""
    return RunError("model", f"the model {name}, version {version}, is damaged: {reason}", f"Train it again{older}.")


def _digest(content: bytes, metadata: str) -> str:
    """The SHA-256 of both, as hexadecimal digits."""
    return hashlib.sha256(metadata.encode() + content).hexdigest()


def _newest_row(database: Database, reference: str) -> Row:
    """Name, version, size, SHA-256 and metadata of the version that `reference` means."""
    if not database.has_own_table(MODELS):
        raise _no_model(database, reference, [])
    models = database.own_table(MODELS)
    columns = f"SELECT name, version, size, sha256, metadata FROM {models} WHERE name = ?"
    rows = database.execute(f"{columns} ORDER BY version DESC LIMIT 1", (reference,))
    match = _VERSION.fullmatch(reference)
    if not rows and match:
        rows = database.execute(f"{columns} AND version = ?", (match["name"], int(match["version"])))
    if not rows:
        names = database.execute(f"SELECT DISTINCT name FROM {models} ORDER BY name LIMIT 1000")
        raise _no_model(database, reference, [str(name) for (name,) in names])
    return rows[0]


def prepare_store(database: Database) -> None:
    """Create the tables unless they are there: before a training, so that a missing right does not waste it."""
    key, text, data = (database.type_for(kind) for kind in ("name", "string", "bytes"))
    database.create_own_table(
        MODELS,
        f"name {key} NOT NULL, version INTEGER NOT NULL, "
        "created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, "
        f"size BIGINT NOT NULL, sha256 CHAR(64) NOT NULL, metadata {text} NOT NULL, PRIMARY KEY (name, version)",
    )
    database.create_own_table(
        BLOCKS,
        f"name {key} NOT NULL, version INTEGER NOT NULL, block INTEGER NOT NULL, "
        f"content {data} NOT NULL, PRIMARY KEY (name, version, block)",
    )


def _no_model(database: Database, reference: str, names: list[str]) -> RunError:
    match = _VERSION.fullmatch(reference)
    if match and match["name"] in names:
        hint = f"The model {match['name']} has no such version; leave the number out for the newest."
        return RunError("model", f"there is no model {reference}", hint)
    hint = did_you_mean(reference, names) or f"Models are kept in {database.own_table(MODELS)}; train it first."
    return RunError("model", f"there is no model {reference}", hint)
