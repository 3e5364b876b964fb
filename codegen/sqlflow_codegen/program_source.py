"""The source of a run's program: a file of `programs` with the run's own data in place of the sample data."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fluid import dumper

from sqlflow_codegen.literals import literal, text_literal

_CONSTANT = re.compile(r"^([A-Z_]+) = (?:.+\n)+", re.MULTILINE)
"""A name and its literal, up to the next empty line."""

_DUMPER_IMPORT = "from fluid.dumper import dump_yaml\n"


def program_source(name: str, data: Mapping[str, Any]) -> str:
    """Return the program of that name with other values for its constants.

    Args:
        name: file name in `programs`, without `.py`.
        data: plain data for each constant of the program, by its name.

    Raises:
        KeyError: the program has other constants.
    """
    source = _standalone(name)
    constants = _CONSTANT.findall(source)
    if set(constants) != set(data):
        raise KeyError(f"the program {name} has the constants {constants}, the data is {list(data)}")
    return _CONSTANT.sub(lambda found: _assignment(found[1], data[found[1]]), source)


def _assignment(constant: str, value: Any) -> str:
    write = text_literal if isinstance(value, str) else literal
    return f"{constant} = {write(value, prefix=len(constant) + 3)}\n"


@cache
def _standalone(name: str) -> str:
    """Return the program with the YAML dumper in place of its import: it needs nothing of this project but Fluid."""
    source = Path(__file__).with_name("programs").joinpath(f"{name}.py").read_text(encoding="utf-8")
    if _DUMPER_IMPORT not in source:
        return source
    _, _, definitions = inspect.getsource(dumper).partition("import yaml\n")
    above, guard, below = source.replace(_DUMPER_IMPORT, "import yaml\n").partition("if __name__")
    return "\n\n\n".join([above.rstrip(), definitions.strip(), guard + below])
