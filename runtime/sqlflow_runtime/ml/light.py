"""LightGBM, without scikit-learn and pandas. Import it from here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlflow_runtime.hidden import hidden

with hidden("sklearn"), hidden("pandas"), hidden("matplotlib"), hidden("dask"):
    import lightgbm

__all__ = ["library_messages", "lightgbm"]

_LEVEL = re.compile(r"\[LightGBM\] \[(Info|Warning|Fatal|Debug)\]\s*")


class _Messages:
    """A logger for LightGBM. Each line is passed on once: it repeats some of them in every round."""

    def __init__(self, log: Callable[[str, str], None]) -> None:
        self._log = log
        self._seen: set[str] = set()

    def info(self, message: str) -> None:
        """Called for each message of the library's C++ part, whatever its level."""
        line = _LEVEL.sub("", message).strip()
        if line and line not in self._seen:
            self._seen.add(line)
            self._log("info", f"LightGBM: {line}")

    def warning(self, message: str) -> None:
        """Called for warnings of its Python part."""
        self.info(message)


@contextmanager
def library_messages(log: Callable[[str, str], None]) -> Iterator[None]:
    """Pass LightGBM's messages to `log`."""
    lightgbm.register_logger(_Messages(log))
    try:
        yield
    finally:
        lightgbm.register_logger(_Messages(lambda level, line: None))


lightgbm.register_logger(_Messages(lambda level, line: None))
