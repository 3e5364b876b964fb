"""The interface of the model stores, and what they share: references, checks of integrity, messages."""

from __future__ import annotations

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlflow_codegen.language.suggest import did_you_mean

from sqlflow_runtime.errors import RunError

METADATA_FORMAT = 3
"""Number of the metadata's layout; a greater one was written by a newer version of this program. From 2 on the SHA-256
is of the metadata too; from 3 on of its canonical JSON, since a database may write a JSON value in another way."""

_VERSION = re.compile(r"(?P<name>.+):(?P<version>\d{1,9})")


@dataclass(frozen=True, slots=True)
class StoredModel:
    """One version of a model as it is stored.

    Attributes:
        name: as TRAIN's INTO has it, its qualifier included; case matters.
        version: from 1.
        metadata: as JSON (see `sqlflow_runtime.ml.metadata`).
        size: bytes of the content.
        created_at: the time at which it was stored, UTC, in ISO 8601.
        content: the model's bytes; empty where only the metadata was read.
    """

    name: str
    version: int
    metadata: dict[str, Any]
    size: int
    created_at: str
    content: bytes = b""

    @property
    def reference(self) -> str:
        """The name by which a statement uses exactly this version."""
        return f"{self.name}:{self.version}"


class NoModelError(RunError):
    """There is no model, or no such version of it."""


class ModelStore(ABC):
    """Versions of models."""

    @property
    @abstractmethod
    def place(self) -> str:
        """The place of the models in messages."""

    @abstractmethod
    def prepare(self) -> None:
        """Make the store ready to be written: before a training, so that a missing right does not waste it.

        Raises:
            RunError: it cannot be written.
        """

    @abstractmethod
    def save(self, name: str, metadata: dict[str, Any], content: bytes, *, key: str = "") -> int:
        """Store a new version of a model and return its number. Safe when several trainings end at once.

        Args:
            name: of the model.
            metadata: as JSON; has its `format`.
            content: the model's bytes.
            key: of the run and statement that trained it. A store that takes no part in the database's transaction
                returns the version that has this key already: an attempt that was killed after storing it, and before
                its ledger row was committed, is repeated.

        Raises:
            RunError: it cannot be written, or the name is a reference to a version.
        """

    @abstractmethod
    def load(self, reference: str) -> StoredModel:
        """Return the newest version of a model, or the version that `name:number` asks for.

        Raises:
            RunError: kind `model`; there is none, or what is stored is not what was stored.
        """

    @abstractmethod
    def describe(self, reference: str) -> StoredModel:
        """The same without the content, which is not read.

        Raises:
            RunError: kind `model`; there is none.
        """

    @abstractmethod
    def versions(self, name: str = "") -> list[StoredModel]:
        """All versions of a model, or of all models, by name and number; without content.

        A version whose metadata cannot be read has none.
        """

    @abstractmethod
    def delete(self, reference: str) -> int:
        """Delete a model with all its versions, or one version; returns the number of versions deleted.

        Raises:
            RunError: kind `model`; there is none.
        """


def version_of(reference: str) -> tuple[str, int] | None:
    """The name and the number in `name:number`; None if there is no number."""
    match = _VERSION.fullmatch(reference)
    return (match["name"], int(match["version"])) if match else None


def check_new_name(name: str) -> None:
    """Refuse to store under a name that is a reference to a version.

    Raises:
        RunError: kind `model`.
    """
    if version_of(name):
        message = f"{name} names a version; TRAIN always adds a new one"
        raise RunError("model", message, "Leave the :number out of INTO.")


def read_json(name: str, version: int, written: Any) -> dict[str, Any]:
    """The metadata of a stored model, from its text or from what the driver has made of a JSON column.

    Raises:
        RunError: kind `model`; it is damaged, or a newer version of this program wrote it.
    """
    try:
        found = json.loads(written) if isinstance(written, str | bytes) else written
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


def digest(content: bytes, metadata: dict[str, Any], written: Any = "") -> str:
    """The SHA-256 of a model's metadata and content, as hexadecimal digits.

    Args:
        content: the model's bytes.
        metadata: as JSON.
        written: the text of the metadata as it is stored, which formats before 3 need.
    """
    if metadata["format"] >= 3:
        text = json.dumps(metadata, sort_keys=True, separators=(",", ":"))
    else:
        text = str(written) if metadata["format"] == 2 else ""
    return hashlib.sha256(text.encode() + content).hexdigest()


def check_intact(model: StoredModel, sha256: str, written: Any = "") -> StoredModel:
    """The model, if its content and metadata are those that were stored.

    Raises:
        RunError: kind `model`.
    """
    if len(model.content) != model.size or digest(model.content, model.metadata, written) != sha256:
        raise damaged(model.name, model.version, "it has not the SHA-256 that TRAIN noted")
    return model


def damaged(name: str, version: int, reason: str) -> RunError:
    """The failure of a stored model that is not what TRAIN stored."""
    older = f", or use an older version: USING {name}:{int(version) - 1}" if int(version) > 1 else ""
    return RunError("model", f"the model {name}, version {version}, is damaged: {reason}", f"Train it again{older}.")


def no_model(reference: str, names: Sequence[str], place: str) -> NoModelError:
    """The failure of a reference to a model that is not in the store; `names` are those that are."""
    found = version_of(reference)
    if found and found[0] in names:
        hint = f"The model {found[0]} has no such version; leave the number out for the newest."
        return NoModelError("model", f"there is no model {reference}", hint)
    hint = did_you_mean(reference, names) or f"Models are kept in {place}; train it first."
    return NoModelError("model", f"there is no model {reference}", hint)
