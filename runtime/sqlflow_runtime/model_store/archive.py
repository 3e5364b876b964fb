"""One version of a model as a file: a zip archive with `metadata.json` and the model in its library's own format.

So a model can be carried from one store to another, and opened without sqlflow: `model.json` by `xgboost.Booster`,
`model.txt` by `lightgbm.Booster`, `model.skops` by `skops.io`, `model.keras` by `keras.saving`.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.model_store.store import METADATA_FORMAT, StoredModel, read_json

METADATA = "metadata.json"
_FILES = {
    "xgboost-json": "model.json", "xgboost-ubj": "model.ubj", "lightgbm-text": "model.txt", "skops": "model.skops",
    "keras": "model.keras",
}  # fmt: skip
"""Storage format -> the name of the model's file; `model.bin` for all others."""
_COMPRESSED = frozenset({"xgboost-json", "lightgbm-text"})
"""Formats that the store compresses by zlib."""
_DATE = (1980, 1, 1, 0, 0, 0)
"""One date for all: the same model gives the same archive."""
_LIMIT = 4 * 1024**3


def write_archive(model: StoredModel, path: Path) -> None:
    """Write a model to a file that is not there yet.

    Raises:
        RunError: kind `usage`; the file exists or cannot be written.
    """
    codec = str(model.metadata.get("codec"))
    content = zlib.decompress(model.content) if codec in _COMPRESSED else model.content
    about = {"name": model.name, "version": model.version, "created_at": model.created_at, "metadata": model.metadata}
    try:
        with path.open("xb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(METADATA, _DATE), json.dumps(about, indent=2, ensure_ascii=False))
            archive.writestr(zipfile.ZipInfo(_FILES.get(codec, "model.bin"), _DATE), content, zipfile.ZIP_DEFLATED)
    except FileExistsError as error:
        raise RunError("usage", f"{path} exists already", "Name another file, or remove it.") from error
    except OSError as error:
        raise RunError("usage", f"{path} cannot be written: {error.strerror}") from error


def read_archive(path: Path) -> StoredModel:
    """Read a model that `write_archive` wrote.

    Raises:
        RunError: kind `usage`; it is no such file.
    """
    hint = "Name a file that `sqlflow models export` wrote."
    try:
        with zipfile.ZipFile(path) as archive:
            about = json.loads(_member(archive, METADATA))
            metadata = read_json(str(about["name"]), int(about["version"]), about["metadata"])
            codec = str(metadata.get("codec"))
            content = _member(archive, _FILES.get(codec, "model.bin"))
    except OSError as error:
        raise RunError("usage", f"{path} cannot be read: {error.strerror}", hint) from error
    except (zipfile.BadZipFile, zlib.error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunError("usage", f"{path} holds no model: {error}", hint) from error
    stored = zlib.compress(content) if codec in _COMPRESSED else content
    return StoredModel(
        str(about["name"]), int(about["version"]), _current(metadata), len(stored), str(about.get("created_at")), stored
    )


def _current(metadata: dict[str, Any]) -> dict[str, Any]:
    """The metadata in this version's layout: only the digest differs between them."""
    return {**metadata, "format": METADATA_FORMAT}


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > _LIMIT:
        raise ValueError(f"its {name} is larger than {_LIMIT >> 30} GiB")
    return archive.read(name)
