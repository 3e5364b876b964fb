"""A network as the bytes of a `.keras` file, and back: what is read is data, and of the size that it says."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.neural.backend import keras
from sqlflow_runtime.ml.neural.layers import OWN

_MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}
_CONFIG_LIMIT = 16 << 20
_PARTS = """
    Functional InputLayer Dense Dropout BatchNormalization Add Concatenate Flatten Reshape Rescaling Embedding
    Bidirectional SimpleRNN SimpleRNNCell LSTM LSTMCell GRU GRUCell NotEqual DTypePolicy Zeros Ones GlorotUniform
    GlorotNormal HeUniform HeNormal RandomUniform RandomNormal TruncatedNormal Orthogonal OrthogonalInitializer
    __keras_tensor__"""
_LAYERS = frozenset(_PARTS.split()) | {one.__name__ for one in OWN}
"""Classes that our own networks are made of."""
FOREIGN = frozenset({"Lambda", "TFSMLayer", "TorchModuleWrapper", "FlaxLayer", "JaxLayer"})
"""Classes of Keras that carry code, or files, of any kind."""
_SIZES = ("units", "input_dim", "output_dim")


def is_functional(model: Any) -> bool:
    """True for a network that is its inputs and outputs; False for a class with a `call` of its own."""
    return isinstance(getattr(model, "inputs", None), list)


def dump(model: Any) -> bytes:
    """The network without what only its training needs, as the content of a `.keras` file.

    One that is not functional must not be compiled.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        plain = keras.Model(model.inputs, model.outputs, name=model.name) if is_functional(model) else model
        plain.save(path)
        return _packed(path.read_bytes())


def _packed(content: bytes) -> bytes:
    """The same archive without the time and addresses in it: equal models are equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
        for name in sorted(source.namelist()):
            data = source.read(name)
            if name == "metadata.json":
                known = json.loads(data)
                known["date_saved"] = ""
                data = json.dumps(known).encode()
            elif name == "config.json":
                data = json.dumps(_renumbered(json.loads(data))).encode()
            target.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


def _renumbered(config: Any) -> Any:
    """The configuration with the addresses of shared objects replaced by numbers from 1."""
    numbers: dict[int, int] = {}
    for entry in _entries(config):
        if isinstance(address := entry.get("shared_object_id"), int):
            entry["shared_object_id"] = numbers.setdefault(address, len(numbers) + 1)
    return config


def load(content: bytes, custom: dict[str, Any] | None = None) -> Any:
    """The network that `dump` wrote.

    Args:
        content: of the file.
        custom: classes of the user's own; without them only those of our networks.

    Raises:
        ValueError: it is none; says why.
        RunError: kind `model`; it holds what is not data.
    """
    config = _checked(content)
    for entry in _entries(config):
        name = str(entry.get("class_name"))
        if name in FOREIGN or (custom is None and name not in _LAYERS):
            hint = "Train it again, or use the image that trained it."
            raise RunError("model", f"the stored model holds the layer {name!r:.80}, which may carry code", hint)
    if custom is None:
        _check_sizes(config, len(content))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        path.write_bytes(content)
        return keras.saving.load_model(path, custom_objects=custom, compile=False, safe_mode=True)


def _checked(content: bytes) -> Any:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if {one.filename for one in members} != _MEMBERS or len(members) != len(_MEMBERS):
                raise ValueError("it has other members than a .keras file")
            if any(one.compress_type != zipfile.ZIP_STORED for one in members):
                raise ValueError("it is compressed, which a .keras file is not")
            if archive.getinfo("config.json").file_size > _CONFIG_LIMIT:
                raise ValueError("its configuration is too large")
            return json.loads(archive.read("config.json"))
    except zipfile.BadZipFile as error:
        raise ValueError(f"it is no .keras file: {error}") from error


def _entries(config: Any) -> Iterator[dict[str, Any]]:
    """Every object of the configuration that names a class."""
    pending = [config]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            if "class_name" in part:
                yield part
            pending += part.values()
        elif isinstance(part, list):
            pending += part


def _check_sizes(config: Any, size: int) -> None:
    """Refuse layers that would need more numbers than the file has."""
    for entry in _entries(config):
        fields = entry.get("config")
        if not isinstance(fields, dict):
            continue
        for name in _SIZES:
            units = fields.get(name, 1)
            if type(units) is not int or not 0 < units * 4 <= size:
                raise ValueError(f"its layer {fields.get('name')!r:.40} has {name} {units!r:.40}")
        if fields.get("input_dim", 1) * fields.get("output_dim", 1) * 4 > size:
            raise ValueError(f"its layer {fields.get('name')!r:.40} is larger than the file")
