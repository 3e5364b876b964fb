"""Titles of statements in status, records, messages and pictures, such as `CREATE TABLE mart.features`.

A title is the statement's verb and the object that it works on. It is one line of at most `TITLE_LENGTH` printable
characters. No string literal of the program ever gets into one, so no password, key or URL does; the only strings
shown are names of accounts (`CREATE USER 'ann'@'%'`), which stand where no password can stand. Titles serve people
only: what a statement reads and writes is for `sqlflow_codegen.graph` to find out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from sqlflow_codegen.language.keywords import (
    ACCOUNTS,
    DIRECT,
    EXISTENCE,
    EXPLAINED,
    KIND_LENGTH,
    KINDS,
    MAIN_VERBS,
    MODIFIERS,
    RELATION_WORDS,
    SETTINGS,
    WITH_KIND,
    WORDS_ONLY,
)
from sqlflow_codegen.language.source import shortened
from sqlflow_codegen.language.token_stream import TokenStream

TITLE_LENGTH = 80
"""Characters of a title, at most."""

_USER_INFO = re.compile(r"://[^/\s@]*@")


def sql_title(text: str, dialect: str, verb: str) -> str:
    """The title of a plain SQL statement in a dialect, or one under settings, whose first keyword is `verb`."""
    return clean(_Titler(TokenStream(text, dialect)).title() or verb or "SQL")


def clean(title: str) -> str:
    """The title on one line, within its length, without characters that cannot be printed and without credentials."""
    words = title if title.isprintable() else "".join(char if char.isprintable() else " " for char in title)
    words = " ".join(words.split())
    return shortened(_USER_INFO.sub("://…@", words), TITLE_LENGTH)


class _Titler:
    """Reads the title off the statement that the cursor stands at."""

    def __init__(self, cursor: TokenStream) -> None:
        self._at = cursor

    def title(self) -> str:
        """The verb, and the object where it is understood; "" where the statement begins with no word."""
        at = self._at
        while at.take("("):
            pass
        verb = at.word()
        if verb in WITH_KIND:
            return self._object(verb)
        if verb in DIRECT:
            shown, skipped = DIRECT[verb]
            at.skip(skipped)
            if "VERBOSE" in skipped:
                at.skip_parens()
            return f"{shown} {self._relation()}".rstrip()
        if verb in WORDS_ONLY:
            return " ".join([verb, *at.words(WORDS_ONLY[verb])])
        of_verb: Callable[[], str] | None = getattr(self, f"_of_{verb.lower()}", None)
        return of_verb() if of_verb else verb

    # -- objects

    def _object(self, verb: str) -> str:
        """CREATE, DROP, ALTER and the like: the kind of object and its names."""
        at = self._at
        self._modifiers()
        kind = self._kind()
        if not kind:
            return f"{verb} {self._relation()}".rstrip()
        at.skip(EXISTENCE)
        names = self._names(account=kind in ACCOUNTS, several=verb == "DROP")
        title = f"{verb} {kind} {names}".rstrip()
        if kind == "INDEX" and at.take("ON"):
            at.skip(EXISTENCE)
            title += f" ON {at.name()}"
        return title.rstrip()

    def _modifiers(self) -> None:
        at = self._at
        while True:
            if at.peek() in ("DEFINER", "ALGORITHM") and at.peek(1) == "=":
                at.next()
                at.next()
                at.account()
                at.skip_parens()  # CURRENT_USER()
            elif not at.skip(MODIFIERS):
                return

    def _kind(self) -> str:
        """The kind of object, upper case; a word that is none of the known kinds counts as one."""
        at = self._at
        for length in range(KIND_LENGTH, 0, -1):
            words = " ".join(at.peek(n) for n in range(length))
            if words in KINDS:
                for _ in range(length):
                    at.next()
                return words
        return ""

    def _names(self, *, account: bool, several: bool) -> str:
        at = self._at
        names = [at.account() if account else at.name()]
        while several and names[-1] and at.take(","):
            names.append(at.account() if account else at.name())
        return ", ".join(name for name in names if name)

    def _relation(self) -> str:
        """A relation where a query or a statement names one."""
        at = self._at
        at.skip(RELATION_WORDS)
        if at.peek() == "(":
            return "(…)"
        name = at.name()
        if not name:
            return "'…'" if at.peek() == "'" else ""
        return f"{name}(…)" if at.peek() == "(" and at.adjacent() else name

    # -- queries

    def _of_select(self) -> str:
        at = self._at
        called = at.name() if at.is_call() else ""
        while word := at.find("DISTINCT", "FROM", "INTO"):
            if word == "DISTINCT":
                at.take("FROM")  # IS DISTINCT FROM
            elif word == "FROM":
                return f"SELECT … FROM {self._relation()}".rstrip()
            elif at.peek() not in ("@", "OUTFILE", "DUMPFILE"):
                at.skip(MODIFIERS | {"TABLE"})
                return f"SELECT … INTO {at.name()}".rstrip()
        return f"SELECT {called}(…)" if called else "SELECT"

    def _of_with(self) -> str:
        return f"WITH … {self.title()}" if self._advance_to(MAIN_VERBS) else "WITH"

    def _of_explain(self, verb: str = "EXPLAIN") -> str:
        return f"{verb} {self.title()}" if self._advance_to(EXPLAINED) else verb

    def _advance_to(self, verbs: Collection[str]) -> bool:
        """Skip the words before one of those verbs, and all parentheses; False if there is no such verb."""
        at = self._at
        while (word := at.peek()) and word not in verbs:
            at.next()
            if word == "(":
                at.rest_of_parens()
        return bool(word)

    def _of_describe(self) -> str:
        if self._at.peek() in EXPLAINED:
            return self._of_explain("DESCRIBE")
        return self._object("DESCRIBE")

    _of_desc = _of_describe

    # -- others

    def _of_insert(self) -> str:
        at = self._at
        at.skip(DIRECT["REPLACE"][1] - {"INTO"} | {"HIGH_PRIORITY"})
        if at.take("OR"):
            at.next()
        verb = "INSERT OVERWRITE" if at.take("OVERWRITE") else "INSERT INTO"
        at.take("INTO")
        if at.peek() in ("LOCAL", "DIRECTORY"):
            return "INSERT OVERWRITE DIRECTORY"
        if at.peek() in ("ALL", "FIRST"):
            return f"INSERT {at.peek()}"
        if at.peek() == "TABLE" and at.peek(1) not in ("(", "SELECT", "VALUES", ""):
            at.next()
        return f"{verb} {at.name()}".rstrip()

    def _of_copy(self) -> str:
        at = self._at
        if at.take("INTO"):
            return f"COPY INTO {at.name()}".rstrip()
        name = "(…)" if at.peek() == "(" else at.name()
        at.skip_parens()
        where = at.peek() if at.peek() in ("FROM", "TO") else ""
        return f"COPY {name} {where} …" if name and where else "COPY"

    def _of_load(self) -> str:
        at = self._at
        if at.peek() != "DATA":
            return f"LOAD {at.name()}".rstrip()
        return f"LOAD DATA … INTO TABLE {at.name()}".rstrip() if at.seek("INTO", "TABLE") else "LOAD DATA"

    def _of_attach(self) -> str:
        at = self._at
        return f"ATTACH … AS {at.name()}".rstrip() if at.seek("AS") else "ATTACH"

    def _of_comment(self) -> str:
        at = self._at
        return self._object("COMMENT ON") if at.take("ON") else "COMMENT"

    def _of_grant(self, verb: str = "GRANT") -> str:
        at = self._at
        words = [at.peek(n) for n in range(2)]
        if words[1] in ("TO", "FROM"):
            return f"{verb} {at.name()}"
        if not at.seek("ON"):
            return verb
        what = words[0] if words[1] == "ON" else "…"
        kind = self._kind() if at.peek(1) not in ("TO", "FROM", ".", "@", ",", "") else ""
        return " ".join(filter(None, [verb, what, "ON", kind, at.name()]))

    def _of_revoke(self) -> str:
        return self._of_grant("REVOKE")

    def _of_set(self) -> str:
        at = self._at
        scope = at.next() if at.peek() in ("SESSION", "LOCAL", "GLOBAL", "PERSIST", "VARIABLE") else ""
        if at.peek() == "PASSWORD":
            at.next()
            return f"SET PASSWORD FOR {at.account()}".rstrip() if at.take("FOR") else "SET PASSWORD"
        pair = f"{at.peek()} {at.peek(1)}"
        name = pair if pair in SETTINGS else at.variable()
        return " ".join(filter(None, ["SET", scope, name]))
