"""The lexical rules of each dialect for strings, quoted names and comments, and their regular expressions.

The patterns are possessive or have one way to match, so every scan is linear in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType

DOUBLED, ESCAPED, BOTH, PLAIN = "doubled", "escaped", "both", "plain"
"""The escape of a quote inside quotes: two of it, a backslash before it, either, or none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LexicalRules:
    """The lexical rules of one dialect.

    Attributes:
        quotes: each opening quote character -> its escape.
        prefixes: for each lower-case prefix that changes a string's escapes (`e'..'`), the escapes it gives.
        triple: `'''` and `\"\"\"` open strings that may span lines, and single ones may not (BigQuery).
        brackets: `[name]` quotes a name.
        dollar: "tag" for `$tag$ .. $tag$`, "plain" for `$$ .. $$` only, "" for neither.
        nested_comments: `/* /* */ */` is one comment.
        dash_needs_space: `--` opens a comment only before white space (MySQL).
        line_comments: other openers of a comment to the end of the line.
        versioned_comments: `/*! .. */` is code, not comment (MySQL).
        comment_ends: the characters that end a line comment.
        numeric_escapes: letters of backslash escapes with digits: o(ctal), x, u, U.
    """

    quotes: MappingProxyType[str, str]
    prefixes: MappingProxyType[str, str] = field(default_factory=lambda: MappingProxyType({}))
    triple: bool = False
    brackets: bool = False
    dollar: str = ""
    nested_comments: bool = False
    dash_needs_space: bool = False
    line_comments: tuple[str, ...] = ()
    versioned_comments: bool = False
    comment_ends: str = "\r\n"
    numeric_escapes: str = ""


def _quotes(single: str, double: str, backtick: str = "") -> MappingProxyType[str, str]:
    pairs = {"'": single, '"': double, "`": backtick}
    return MappingProxyType({quote: escapes for quote, escapes in pairs.items() if escapes})


_POSTGRES = LexicalRules(
    quotes=_quotes(DOUBLED, DOUBLED),
    prefixes=MappingProxyType({"e": BOTH}),
    dollar="tag",
    nested_comments=True,
    numeric_escapes="oxuU",
)

_DIALECTS: MappingProxyType[str, LexicalRules] = MappingProxyType(
    {
        "postgres": _POSTGRES,
        "duckdb": replace(_POSTGRES, quotes=_quotes(DOUBLED, DOUBLED, DOUBLED), numeric_escapes="ox"),
        "mysql": LexicalRules(
            quotes=_quotes(BOTH, BOTH, DOUBLED),
            dash_needs_space=True,
            line_comments=("#",),
            versioned_comments=True,
            comment_ends="\n",
        ),
        "sqlite": LexicalRules(quotes=_quotes(DOUBLED, DOUBLED, DOUBLED), brackets=True, comment_ends="\n"),
        "hive": LexicalRules(quotes=_quotes(BOTH, BOTH, DOUBLED), numeric_escapes="ou"),
        "spark": LexicalRules(
            quotes=_quotes(BOTH, BOTH, DOUBLED),
            prefixes=MappingProxyType({"r": PLAIN}),
            dollar="tag",
            nested_comments=True,
            numeric_escapes="ouU",
        ),
        "trino": LexicalRules(quotes=_quotes(DOUBLED, DOUBLED, DOUBLED), dollar="plain"),
        "bigquery": LexicalRules(
            quotes=_quotes(ESCAPED, ESCAPED, ESCAPED),
            prefixes=MappingProxyType({"r": "raw", "rb": "raw", "br": "raw"}),
            triple=True,
            line_comments=("#",),
            numeric_escapes="oxuU",
        ),
        "snowflake": LexicalRules(
            quotes=_quotes(BOTH, DOUBLED), dollar="plain", line_comments=("//",), numeric_escapes="oxu"
        ),
    }
)

ANSI_QUOTES, NO_BACKSLASH, BACKSLASHES = "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "BACKSLASHES"
"""Settings that change how a dialect is read: two of MySQL's sql_mode, and PostgreSQL's old strings."""
BACKSLASH = "BACKSLASH"
"""In the name of every setting that changes what a backslash is."""


def variant_of(dialect: str, settings: frozenset[str]) -> str:
    """The key of `LEXICAL_RULES` for a dialect under settings."""
    return "+".join([dialect, *sorted(settings)])


def dialect_of(variant: str) -> str:
    """The canonical dialect of a key of `LEXICAL_RULES`."""
    return variant.partition("+")[0]


def _under(dialect: str, *settings: str, quotes: MappingProxyType[str, str]) -> dict[str, LexicalRules]:
    return {variant_of(dialect, frozenset(settings)): replace(_DIALECTS[dialect], quotes=quotes)}


LEXICAL_RULES: MappingProxyType[str, LexicalRules] = MappingProxyType(
    {
        **_DIALECTS,
        **_under("mysql", ANSI_QUOTES, quotes=_quotes(BOTH, DOUBLED, DOUBLED)),
        **_under("mysql", NO_BACKSLASH, quotes=_quotes(DOUBLED, DOUBLED, DOUBLED)),
        **_under("mysql", ANSI_QUOTES, NO_BACKSLASH, quotes=_quotes(DOUBLED, DOUBLED, DOUBLED)),
        **_under("postgres", BACKSLASHES, quotes=_quotes(BOTH, DOUBLED)),
    }
)
"""The rules of each dialect, by its canonical name, and of dialects under settings, by `variant_of`."""


@cache
def quoted_pattern(quote: str, escapes: str, lines: bool = True) -> re.Pattern[str]:
    """From an opening quote to its closing one, both included; no match where it never closes.

    `lines` is false where the text between single quotes may not go over the end of its line.
    """
    q = re.escape(quote[0])
    newline = "" if lines or len(quote) == 3 else "\r\n"
    inner = f"[^{q}\\\\{newline}]++"
    backslash = r"|\\." if escapes in (ESCAPED, BOTH, "raw") else r"|\\"
    doubled = f"|{q}{q}" if escapes in (DOUBLED, BOTH) else ""
    if len(quote) == 3:
        return re.compile(f"(?s:{q}{{3}}(?:{inner}{backslash}|{q}(?!{q}{q}))*{q}{{3}})")
    # Not a possessive group: those go wrong in Python 3.11.0 to 3.11.4. A doubled quote is never the closing one.
    closing = f"{q}(?!{q})" if doubled else q
    return re.compile(f"(?s:{q}(?:{inner}{backslash}{doubled})*{closing})")


def _line_comment(rules: LexicalRules) -> str:
    openers = [r"--(?=[\s\x00-\x20]|\Z)" if rules.dash_needs_space else "--"]
    openers += ["(?<![:/])//" if opener == "//" else re.escape(opener) for opener in rules.line_comments]
    return f"(?:{'|'.join(openers)})[^{re.escape(rules.comment_ends)}]*+"


def _dollar(rules: LexicalRules) -> str:
    return r"(?<![\w$])\$(?:[^\W\d]\w*)?\$" if rules.dollar == "tag" else r"(?<![\w$])\$\$"


@dataclass(frozen=True, slots=True)
class Patterns:
    r"""One dialect's compiled scanners. Each matches at every position, one event at a time, by named group.

    `plain` sees what hides a `;`; `query` also parentheses and the word TO; `words` every word. `clause` is
    `plain` without bracketed names, which are lists there. `space` is one stretch of white space; `shell` a
    command that begins with a backslash (`\\g`), which is not SQL (MySQL's `\\N` is: NULL).
    """

    plain: re.Pattern[str]
    query: re.Pattern[str]
    words: re.Pattern[str]
    clause: re.Pattern[str]
    line_comment: re.Pattern[str]
    dollar: re.Pattern[str] | None


SPACE = "[\\s\ufeff]"
WORD = r"[^\W\d][\w$]*+"


@cache
def patterns(dialect: str) -> Patterns:
    """The scanners of that dialect, or dialect under settings (a key of `LEXICAL_RULES`)."""
    rules = LEXICAL_RULES[dialect]
    brackets = "\\[" if rules.brackets else ""
    special = ";\\-/\\\\" + "".join(rules.quotes) + ("$" if rules.dollar else "")
    special += "".join(re.escape(opener[0]) for opener in rules.line_comments if opener != "//")
    events = [
        f"(?P<quote>[{''.join(rules.quotes)}{brackets}])",
        f"(?P<comment>{_line_comment(rules)})",
        r"(?P<block>/\*)",
        *([f"(?P<dollar>{_dollar(rules)})"] if rules.dollar else []),
        "(?P<end>;)",
        r"(?P<shell>\\(?!N\b)[^\s;]+)" if dialect_of(dialect) == "mysql" else r"(?P<shell>\\[^\s;]+)",
    ]
    tail = [r"(?P<other>(?s:.))"]
    space = f"(?P<space>{SPACE}++)"
    run = f"(?P<run>[^{special}{brackets}]++)"
    no_to = r"(?<=[\w$])[tT]|[tT](?![oO](?![\w$]))"
    query_run = f"(?P<run>(?:[^{special}{brackets}()tT]++|{no_to})+)"
    word_run = f"(?P<run>(?:[^\\w\\s\ufeff()$.:,=@{special}{brackets}]|\\d[\\w$]*+)+)"
    clause_events = [event.replace(brackets, "") if brackets else event for event in events]
    return Patterns(
        plain=re.compile("|".join([space, run, *events, *tail])),
        query=re.compile("|".join([space, query_run, r"(?P<paren>[()])", "(?P<to>[tT][oO])", *events, *tail])),
        words=re.compile("|".join([space, f"(?P<word>{WORD})", word_run, *events, *tail])),
        clause=re.compile("|".join([space, f"(?P<run>[^{special}]++)", *clause_events, *tail])),
        line_comment=re.compile(_line_comment(rules)),
        dollar=re.compile(_dollar(rules)) if rules.dollar else None,
    )


def other_quotes(text: str, dialect: str, variant: str) -> bool:
    """True if quotes or backslashes of a text mean something else in that variant than in its dialect."""
    if variant == dialect:
        return False
    return ('"' in text and ANSI_QUOTES in variant) or ("\\" in text and BACKSLASH in variant)
