"""Reads UBJSON, as far as XGBoost writes it, with no trust in lengths.

XGBoost's own reader trusts them: given damaged bytes it may end the process or take all memory, and nobody would
learn why. So the bytes are read here first.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

_NUMBERS = {b"i": ">i1", b"U": ">u1", b"I": ">i2", b"l": ">i4", b"L": ">i8", b"d": ">f4", b"D": ">f8"}
_WORDS: dict[bytes, Any] = {b"T": True, b"F": False, b"Z": None}
_NESTING_LIMIT = 64


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    def done(self) -> bool:
        return self._at == len(self._data)

    def take(self, count: int) -> memoryview:
        if not 0 <= count <= len(self._data) - self._at:
            raise ValueError(f"it ends within a value, or a length at byte {self._at} is wrong")
        start, self._at = self._at, self._at + count
        return self._data[start : self._at]

    def peek(self) -> bytes:
        return bytes(self._data[self._at : self._at + 1])

    def mark(self) -> bytes:
        return bytes(self.take(1))

    def length(self) -> int:
        if self.mark() != b"L":
            raise ValueError(f"a length is missing at byte {self._at}")
        (length,) = struct.unpack(">q", self.take(8))
        return int(length)

    def text(self) -> str:
        return bytes(self.take(self.length())).decode()

    def value(self, depth: int) -> Any:
        if depth > _NESTING_LIMIT:
            raise ValueError("it is nested too deeply")
        kind = self.mark()
        if kind == b"{":
            return self._object(depth)
        if kind == b"[":
            return self._array(depth)
        if kind == b"S":
            return self.text()
        if kind == b"C":
            return bytes(self.take(1)).decode("ascii")
        if kind in _NUMBERS:
            number = np.dtype(_NUMBERS[kind])
            return np.frombuffer(self.take(number.itemsize), number)[0].item()
        if kind in _WORDS:
            return _WORDS[kind]
        raise ValueError(f"there is no value at byte {self._at - 1}")

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self.peek() != b"}":
            name = self.text()
            if name in found:
                raise ValueError(f"it has {name!r} twice")
            found[name] = self.value(depth + 1)
        self.take(1)
        return found

    def _array(self, depth: int) -> Any:
        number = None
        if self.peek() == b"$":
            self.take(1)
            kind = self.mark()
            if kind not in _NUMBERS:
                raise ValueError(f"an array at byte {self._at} has elements of no type")
            number = np.dtype(_NUMBERS[kind])
        if self.peek() != b"#":
            if number is not None:
                raise ValueError(f"an array at byte {self._at} has no length")
            found = []
            while self.peek() != b"]":
                found.append(self.value(depth + 1))
            self.take(1)
            return found
        self.take(1)
        count = self.length()
        if number is not None:
            if count < 0:
                raise ValueError(f"a length at byte {self._at} is wrong")
            return np.frombuffer(self.take(count * number.itemsize), number)
        return [self.value(depth + 1) for _ in range(count)]


def read_ubjson(data: bytes) -> dict[str, Any]:
    """The one whole object that the bytes are; arrays of numbers are NumPy's, over the same bytes.

    Raises:
        ValueError: they are none; says where.
    """
    reader = _Reader(data)
    if reader.peek() != b"{":
        raise ValueError("it does not begin as a model does")
    found: dict[str, Any] = reader.value(0)
    if not reader.done():
        raise ValueError("something follows its end")
    return found
