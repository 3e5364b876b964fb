"""Models as files below an fsspec URL: an object store's bucket, or a folder.

    <url>/<model>/<sha256 of the content>.model
    <url>/<model>/<version>.json              written last and only once: a version is there when this file is

The file system takes no part in the database's transactions: a version stays although the program's transaction is
rolled back afterwards.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from sqlflow_runtime.errors import RunError, not_installed
from sqlflow_runtime.model_store.store import (
    ModelStore,
    StoredModel,
    check_intact,
    check_new_name,
    damaged,
    digest,
    no_model,
    read_json,
    version_of,
)

_TRIES = 1000
"""Versions that other trainings may add while this one stores its own."""
_LOOKED_AT = 20
"""The newest versions among which an earlier attempt's is looked for."""
_FOLDER_BYTES = 150
_BUCKETS = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "oci"})
"""Protocols of object stores: they have no folders, and making one would make a bucket."""
_VERSION_FILE = re.compile(r"(\d{8,9})\.json")


class FileStore(ModelStore):
    """The store in files."""

    def __init__(self, url: str) -> None:
        """Open the store.

        Raises:
            RunError: kind `usage`; nothing serves such URLs.
        """
        self._url = _without_password(url)
        try:
            self._files, self._root = url_to_fs(url, use_listings_cache=False, skip_instance_cache=True)
        except ModuleNotFoundError as error:
            raise not_installed(error) from error
        except (ImportError, ValueError) as error:
            message = f"models cannot be stored at {self._url}: {error}"
            raise RunError("usage", message, "Write a local path, or a URL such as s3://bucket/folder.") from error

    @property
    def place(self) -> str:
        """See `ModelStore`."""
        return self._url

    def prepare(self) -> None:
        """See `ModelStore`. Writes a file and removes it."""
        with self._failing("written"):
            self._make_folder(self._root)
            path = self._path(f".write-test-{secrets.token_hex(6)}")
            self._files.pipe_file(path, b"")
            self._files.rm_file(path)

    def save(self, name: str, metadata: dict[str, Any], content: bytes, *, key: str = "") -> int:
        """See `ModelStore`."""
        check_new_name(name)
        with self._failing("written"):
            known = self._numbers(name)
            if key and (found := self._stored_with(name, known, key)):
                return found
            folder, content_name = self._path(_folder(name)), f"{hashlib.sha256(content).hexdigest()}.model"
            self._make_folder(folder)
            self._files.pipe_file(f"{folder}/{content_name}", content)
            entry = {
                "name": name, "key": key, "size": len(content), "sha256": digest(content, metadata),
                "content": content_name, "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "metadata": metadata,
            }  # fmt: skip
            first = max(known, default=0) + 1
            written = json.dumps(entry).encode()
            for version in range(first, first + _TRIES):
                if self._create(f"{folder}/{version:08d}.json", written):
                    return version
        raise RunError("model", f"no version of {name} could be added: {_TRIES} numbers are taken")

    def load(self, reference: str) -> StoredModel:
        """See `ModelStore`."""
        name, version = self._resolve(reference)
        model, entry = self._read(name, version)
        path = self._path(_folder(name), str(entry.get("content")))
        with self._failing("read"):
            try:
                content = self._files.cat_file(path)
            except FileNotFoundError as error:
                raise damaged(name, version, "its content is gone") from error
        whole = StoredModel(name, version, model.metadata, model.size, model.created_at, bytes(content))
        return check_intact(whole, str(entry.get("sha256")))

    def describe(self, reference: str) -> StoredModel:
        """See `ModelStore`."""
        return self._read(*self._resolve(reference))[0]

    def versions(self, name: str = "") -> list[StoredModel]:
        """See `ModelStore`."""
        found = []
        for one in [name] if name else self._names():
            for version in self._numbers(one):
                try:
                    found.append(self._read(one, version)[0])
                except RunError as failure:
                    if failure.kind != "model":
                        raise
                    found.append(StoredModel(one, version, {}, 0, ""))
        return found

    def delete(self, reference: str) -> int:
        """See `ModelStore`. Content goes after the last version that has it."""
        name, version = self._resolve(reference)
        every = self._numbers(name)
        doomed = [version] if version_of(reference) == (name, version) else every
        folder = self._path(_folder(name))
        with self._failing("deleted"):
            for one in doomed:
                self._files.rm_file(f"{folder}/{one:08d}.json")
            kept = {self._entry(name, one).get("content") for one in every if one not in doomed}
            for path in self._files.ls(folder, detail=False):
                if path.endswith(".model") and posixpath.basename(path) not in kept:
                    self._files.rm_file(path)
            if not kept:
                with suppress(OSError):  # an object store has no folders
                    self._files.rmdir(folder)
        return len(doomed)

    def _resolve(self, reference: str) -> tuple[str, int]:
        """Name and number of the version that `reference` means."""
        numbers = self._numbers(reference)
        if numbers:
            return reference, numbers[-1]
        asked = version_of(reference)
        if asked and asked[1] in self._numbers(asked[0]):
            return asked
        raise no_model(reference, self._names(), self.place)

    def _names(self) -> list[str]:
        """The names of all models."""
        with self._failing("read"):
            folders = [path for path in self._list(self._root) if not posixpath.basename(path).startswith(".")]
        names = []
        for folder in folders:
            numbers = self._numbers_in(folder)
            if numbers:
                with suppress(ValueError, TypeError, KeyError, OSError):
                    names.append(str(json.loads(self._files.cat_file(f"{folder}/{numbers[-1]:08d}.json"))["name"]))
        return sorted(names)

    def _numbers(self, name: str) -> list[int]:
        """The version numbers of a model, in ascending order."""
        with self._failing("read"):
            return self._numbers_in(self._path(_folder(name)))

    def _numbers_in(self, folder: str) -> list[int]:
        found = map(_VERSION_FILE.fullmatch, map(posixpath.basename, self._list(folder)))
        return sorted(int(match[1]) for match in found if match)

    def _list(self, folder: str) -> list[str]:
        try:
            return [path.rstrip("/") for path in self._files.ls(folder, detail=False)]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _read(self, name: str, version: int) -> tuple[StoredModel, dict[str, Any]]:
        entry = self._entry(name, version)
        if entry.get("name") != name or type(entry.get("size")) is not int:
            raise damaged(name, version, "its entry is not what TRAIN writes")
        metadata = read_json(name, version, entry.get("metadata"))
        return StoredModel(name, version, metadata, entry["size"], str(entry.get("created_at"))), entry

    def _entry(self, name: str, version: int) -> dict[str, Any]:
        with self._failing("read"):
            written = self._files.cat_file(self._path(_folder(name), f"{version:08d}.json"))
        try:
            entry = json.loads(written)
        except (ValueError, RecursionError) as error:
            raise damaged(name, version, f"its entry is no JSON: {error}") from error
        return entry if isinstance(entry, dict) else {}

    def _stored_with(self, name: str, known: list[int], key: str) -> int:
        """The version that has that key; 0 if none of the newest has."""
        for version in reversed(known[-_LOOKED_AT:]):
            with suppress(RunError):
                if self._entry(name, version).get("key") == key:
                    return version
        return 0

    def _create(self, path: str, data: bytes) -> bool:
        """Write a file that is not there yet; False if it is. No reader sees a part of it."""
        if isinstance(self._files, LocalFileSystem):
            temporary = Path(f"{path}.{secrets.token_hex(6)}.tmp")
            temporary.write_bytes(data)
            try:
                os.link(temporary, path)
            except FileExistsError:
                return False
            finally:
                temporary.unlink()
            return True
        try:
            self._files.pipe_file(path, data, mode="create")
        except FileExistsError:
            return False
        return True

    def _make_folder(self, path: str) -> None:
        protocols = self._files.protocol
        if _BUCKETS.isdisjoint([protocols] if isinstance(protocols, str) else protocols):
            self._files.makedirs(path, exist_ok=True)

    def _path(self, *parts: str) -> str:
        return "/".join((self._root.rstrip("/"), *parts))

    @contextmanager
    def _failing(self, done: str) -> Iterator[None]:
        try:
            yield
        except RunError:
            raise
        except (PermissionError, FileNotFoundError, NotADirectoryError) as error:
            hint = "Check that the bucket or folder exists, and that the credentials may read and write it."
            raise RunError("model", f"models at {self._url} cannot be {done}: {_words(error)}", hint) from error
        except Exception as error:  # each file system raises errors of its own library
            hint = "Check the address, the network and the credentials in the step's environment."
            message = f"the model store {self._url} cannot be reached: {_words(error)}"
            raise RunError("connection", message, hint) from error


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


def _folder(name: str) -> str:
    """The folder of a model: its name as a URL writes it, cut and made distinct where that is long."""
    text = quote(name, safe="").replace(".", "%2E")
    if len(text) <= _FOLDER_BYTES:
        return text
    return f"{text[:_FOLDER_BYTES]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
