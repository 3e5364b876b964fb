"""Attributes of the statements that write a result table."""

from __future__ import annotations

from types import MappingProxyType

RESULT_REPLACE = "result.replace"
"""Lets a statement replace a table that no result statement made."""

RESULT_ATTRIBUTES = MappingProxyType({RESULT_REPLACE: "bool"})
