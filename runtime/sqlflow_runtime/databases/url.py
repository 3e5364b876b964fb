"""Database URLs in SQLAlchemy's form, read without importing SQLAlchemy: a plain SQL step starts without it.

The password is kept out of `repr` and `str`, and `scrubber` takes it out of any text that leaves the process.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, quote_plus, unquote

from sqlflow_codegen.language.dialects import DATABASES

from sqlflow_runtime.errors import RunError

_SCHEMES = {"postgres": "postgresql", "mariadb": "mysql"}
_SERVERS = ("postgresql", "mysql")

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9_.-]*)(?:\+(?P<driver>\w+))?://(?P<rest>.*)", re.DOTALL)
_SQLFLOW = re.compile(r"@tcp\(|^(maxcompute|alisa)://")
_OPTIONS = re.compile(r"\w+=[^&]*(?:&\w+=[^&]*)*")
_FORM = "postgresql://USER:PASSWORD@HOST:5432/DATABASE, mysql://…, sqlite:///FILE or duckdb:///FILE"


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """A database URL, taken apart. Everything is decoded; `query` holds the last value of each option."""

    scheme: str
    username: str = ""
    password: str = field(default="", repr=False)
    host: str = ""
    port: str = ""
    database: str = ""
    query: dict[str, str] = field(default_factory=dict, repr=False)
    raw_password: str = field(default="", repr=False)
    """The password as it stands in the URL, with its percent signs."""

    @property
    def dialect(self) -> str:
        """The dialect of programs for this database."""
        return DATABASES[self.scheme]

    def __str__(self) -> str:
        server = f"{self.username}@{self.host}" if self.username else self.host
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{server}{port}/{self.database}"


def parse_url(text: str) -> DatabaseUrl:
    """Take a database URL apart.

    More forgiving than most: a password may hold an unescaped `@`, `/`, `#` or `%`.

    Raises:
        RunError: kind `usage`; the message never shows the URL, since it may hold a password.
    """
    match = _URL.fullmatch(text.strip())
    if _SQLFLOW.search(text):
        raise RunError(
            "usage",
            "the database URL is in SQLFlow's old form",
            f"Write it as a SQLAlchemy URL: {_FORM}.",
        )
    if match is None:
        raise RunError("usage", "the database URL has no scheme", f"A database URL looks like {_FORM}.")
    scheme = _SCHEMES.get(match["scheme"].lower(), match["scheme"].lower())
    if scheme not in DATABASES:
        known = "postgresql, mysql, mariadb, sqlite and duckdb"
        raise RunError("usage", f"databases of the kind {scheme} are not supported", f"Supported are {known}.")
    if match["driver"] and scheme == "postgresql" and match["driver"] not in ("psycopg", "psycopg2"):
        raise RunError(
            "usage",
            f"the driver {match['driver']} is not part of this image",
            "Write postgresql:// or postgresql+psycopg://.",
        )
    return _split(scheme, match["rest"])


def _split(scheme: str, rest: str) -> DatabaseUrl:
    # The server part ends at the first `/` after the last `@`: a password may hold either.
    login, _, address = rest.rpartition("@") if scheme in _SERVERS else ("", "", rest)
    if "?" in login and _OPTIONS.fullmatch(rest.partition("?")[2]):  # the `@` stands in an option's value
        login, _, address = rest.partition("?")[0].rpartition("@")
        address += "?" + rest.partition("?")[2]
    username, _, raw_password = login.partition(":")
    path, _, query = address.partition("?")
    server, _, database = path.partition("/")
    host, port = _host_and_port(server)
    return DatabaseUrl(
        scheme=scheme,
        username=unquote(username),
        password=unquote(raw_password),
        host=host,
        port=port,
        database=unquote(database),
        query=dict(parse_qsl(query, keep_blank_values=True)),
        raw_password=raw_password,
    )


def _host_and_port(server: str) -> tuple[str, str]:
    """Split `host:port`, `[::1]:port` and the list `a:1,b:2` into hosts and ports, each comma separated."""
    hosts, ports = [], []
    for one in server.split(","):
        match = re.fullmatch(r"(\[(?P<six>[^\]]*)\]|(?P<name>[^:]*))(:(?P<port>.*))?", one)
        if match is None or (match["port"] and not match["port"].isdigit()):
            raise RunError(
                "usage",
                "the database URL's host or port cannot be read",
                f"A database URL looks like {_FORM}. In a password write `:` as %3A, `/` as %2F and `@` as %40.",
            )
        hosts.append(unquote(match["six"] or match["name"] or ""))
        ports.append(match["port"] or "")
    return ",".join(hosts), ",".join(ports) if any(ports) else ""


def check_dialect(url: DatabaseUrl, dialect: str) -> None:
    """Refuse a program whose dialect (canonical) is not that of the database.

    Raises:
        RunError: kind `usage`.
    """
    if dialect == url.dialect:
        return
    pairs = ", ".join(f"{name} with {scheme}://" for scheme, name in DATABASES.items())
    message = f"the program's dialect is {dialect}, and the database is of the kind {url.scheme}"
    raise RunError("usage", message, f"Give dialect {url.dialect}, or another database. Pairs are {pairs}.")


_SHORT = 6


def scrubber(url: DatabaseUrl) -> Callable[[str], str]:
    """A function that takes the URL's password, in all its spellings, out of a text.

    A password shorter than six characters is removed only where a URL or a connection string shows it:
    removing each `a` would leave nothing to read.
    """
    secrets = {url.password, url.query.get("password", ""), url.query.get("sslpassword", "")} - {""}
    spellings = {url.raw_password} if url.raw_password else set()
    for secret in secrets:
        spellings |= {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]}
    if not spellings:
        return lambda text: text
    parts = []
    for spelling in sorted(spellings, key=len, reverse=True):
        escaped = re.escape(spelling)
        short = len(spelling) < _SHORT
        parts.append(rf"(?<=:){escaped}(?=@)|(?<=password=){escaped}" if short else escaped)
    pattern = re.compile("|".join(parts), re.IGNORECASE if any("%" in s for s in spellings) else 0)
    return lambda text: pattern.sub("***", text)
