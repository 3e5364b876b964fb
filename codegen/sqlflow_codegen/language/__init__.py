"""The language: lexer, statement splitter, clause parser and IR."""
