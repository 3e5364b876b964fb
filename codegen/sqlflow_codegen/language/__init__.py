"""The language: lexer, statement splitter, clause parser and IR.

`parse_program` parses any program, `runnable_program` one that is to run. They import neither sqlglot nor any other
big library, because every step parses the program when it starts.
"""

from sqlflow_codegen.language.dialects import DEFAULT_DIALECT, DIALECTS, normalize_dialect
from sqlflow_codegen.language.parser import parse_program
from sqlflow_codegen.language.runnable import runnable_program

__all__ = [
    "DEFAULT_DIALECT",
    "DIALECTS",
    "normalize_dialect",
    "parse_program",
    "runnable_program",
]
