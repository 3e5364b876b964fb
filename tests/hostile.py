"""Texts that broke SQLFlow and its peers: each must come back from the database byte for byte."""

from __future__ import annotations

HOSTILE_TEXTS: dict[str, str] = {
    "single quotes": "it's 'quoted' ''twice''",
    "double quotes": 'say "hello" ""again""',
    "triple quotes": "'''three''' and \"\"\"three\"\"\"",
    "backticks": "`id` and ``two``",
    "backslashes": "C:\\new\\table\\x41 \\' \\\" \\\\",
    "argo template": "{{workflow.name}} {{=1+1}} {{inputs.parameters.x}} {{x}}",
    "tekton variable": "$(params.x) $(context.taskRun.name)",
    "kubelet variable": "$(HOME) $(SQLFLOW_DATABASE_URL) $$(HOME) $$ $",
    "dollar quoting": "$$b$$ $tag$body$tag$",
    "shell": "${HOME} $(id) `id` ; rm -rf / && echo | cat > /dev/null # x",
    "percent": "100% %s %(name)s %% %d",
    "binds": ":name ::int ? @x",
    "comments": "-- not a comment /* nor this */ # nor that",
    "separators": "a;b; TO TRAIN x INTO y; END",
    "crlf": "one\r\ntwo\rthree\nfour",
    "tabs and trailing blanks": "\tindented  \n  twice   ",
    "emoji": "naïve 😀 👩‍👩‍👧 中文 العربية",
    "line separators": "a\u2028b\u2029c\x85d",
    "byte order mark": "\ufeffstart",
    "control": "bell\x07 escape\x1b[31m delete\x7f",
    "yaml": "- a: b\n? c\n: d\n--- \n...\n!!python/object:x &a *a | > %",
    "long line": "x" * 200 + " " + "y" * 200,
    "json": '{"type": "error", "statement": 1}',
}


def literal(text: str) -> str:
    """That text as a string literal of standard SQL (PostgreSQL, DuckDB, SQLite): only quotes are doubled."""
    return "'" + text.replace("'", "''") + "'"


def program(texts: dict[str, str] | None = None) -> str:
    """A program that selects every text, one statement each."""
    return ";\n".join(f"SELECT {literal(text)} AS t" for text in (texts or HOSTILE_TEXTS).values()) + ";\n"
