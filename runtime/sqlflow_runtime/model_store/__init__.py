"""Model stores: versions of models, in two tables of the user's own database or in files at an fsspec URL.

TRAIN adds a version; nothing is ever overwritten, so a failed training leaves the older one in use. Only formats that
cannot carry code are stored (see `sqlflow_runtime.ml.trained_model`), never pickles.
"""

from __future__ import annotations

from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.model_store.database_store import DatabaseStore
from sqlflow_runtime.model_store.store import METADATA_FORMAT as METADATA_FORMAT
from sqlflow_runtime.model_store.store import ModelStore as ModelStore
from sqlflow_runtime.model_store.store import NoModelError as NoModelError
from sqlflow_runtime.model_store.store import StoredModel as StoredModel
from sqlflow_runtime.model_store.store import damaged as damaged


def open_model_store(database: Database | None, url: str = "") -> ModelStore:
    """Return the store at an fsspec URL or a local path, or the database's own if there is none.

    Raises:
        RunError: kind `usage`; nothing can be stored at that URL.
    """
    if not url:
        if database is None:
            raise RunError("usage", "neither a database nor a model store is named")
        return DatabaseStore(database)
    from sqlflow_runtime.model_store.file_store import FileStore

    return FileStore(url)
