"""Methods of the databases have a docstring, or inherit that of the base class."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest
import sqlflow_runtime.databases


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(sqlflow_runtime.databases.__path__)])
def test_every_public_method_is_documented(name: str) -> None:
    module = importlib.import_module(f"sqlflow_runtime.databases.{name}")
    classes = [one for _, one in inspect.getmembers(module, inspect.isclass) if one.__module__ == module.__name__]
    missing = [
        f"{one.__name__}.{method}"
        for one in classes
        for method, value in vars(one).items()
        if not method.startswith("_") and (inspect.isfunction(value) or isinstance(value, property))
        if not inspect.getdoc(getattr(one, method))
    ]
    assert not missing
