"""Checks that bytes are whole UBJSON before XGBoost reads them.

XGBoost's own reader trusts lengths: given damaged bytes it may end the process or take all memory, and nobody would
learn why. Only the part of UBJSON that XGBoost writes is accepted.
"""

from __future__ import annotations

import struct

_SIZES = {b"i": 1, b"U": 1, b"I": 2, b"l": 4, b"L": 8, b"d": 4, b"D": 8, b"C": 1, b"T": 0, b"F": 0, b"Z": 0}
_NESTING_LIMIT = 64


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def done(self) -> bool:
        return self._at == len(self._data)

    def take(self, count: int) -> bytes:
        if not 0 <= count <= len(self._data) - self._at:
            raise ValueError(f"it ends within a value, or a length at byte {self._at} is wrong")
        start, self._at = self._at, self._at + count
        return self._data[start : self._at]

    def skip(self, count: int) -> None:
        if not 0 <= count <= len(self._data) - self._at:
            raise ValueError(f"it ends within a value, or a length at byte {self._at} is wrong")
        self._at += count

    def peek(self) -> bytes:
        return self._data[self._at : self._at + 1]

    def length(self) -> int:
        if self.take(1) != b"L":
            raise ValueError(f"a length is missing at byte {self._at}")
        (length,) = struct.unpack(">q", self.take(8))
        return int(length)

    def value(self, depth: int) -> None:
        if depth > _NESTING_LIMIT:
            raise ValueError("it is nested too deeply")
        kind = self.take(1)
        if kind == b"{":
            self._object(depth)
        elif kind == b"[":
            self._array(depth)
        elif kind == b"S":
            self.skip(self.length())
        elif kind in _SIZES:
            self.skip(_SIZES[kind])
        else:
            raise ValueError(f"there is no value at byte {self._at - 1}")

    def _object(self, depth: int) -> None:
        while self.peek() != b"}":
            self.skip(self.length())
            self.value(depth + 1)
        self.skip(1)

    def _array(self, depth: int) -> None:
        size = 0
        typed = self.peek() == b"$"
        if typed:
            self.skip(1)
            size = _SIZES.get(self.take(1), 0)
            if not size:
                raise ValueError(f"an array at byte {self._at} has elements of no type")
        if self.peek() != b"#":
            if typed:
                raise ValueError(f"an array at byte {self._at} has no length")
            while self.peek() != b"]":
                self.value(depth + 1)
            self.skip(1)
            return
        self.skip(1)
        count = self.length()
        if typed:
            self.skip(count * size)
            return
        for _ in range(count):
            self.value(depth + 1)


def check_ubjson(data: bytes) -> None:
    """Do nothing if the bytes are one whole UBJSON object.

    Raises:
        ValueError: they are not; says where.
    """
    reader = _Reader(data)
    if reader.peek() != b"{":
        raise ValueError("it does not begin as a model does")
    reader.value(0)
    if not reader.done():
        raise ValueError("something follows its end")
