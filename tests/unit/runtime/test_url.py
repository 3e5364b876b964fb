"""Database URLs: forgiving to read, never shown with their password."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlflow_runtime.databases.url import parse_url, scrubber
from sqlflow_runtime.errors import RunError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql+psycopg://u:p@h:5433/db?sslmode=require", ("postgres", "u", "p", "h", "5433", "db")),
        ("postgres://u@h/db", ("postgres", "u", "", "h", "", "db")),
        ("postgresql://u:a%40b%2F%25@h/db", ("postgres", "u", "a@b/%", "h", "", "db")),
        ("postgresql://u:a@b/c#d?e%f@h:1/db", ("postgres", "u", "a@b/c#d?e%f", "h", "1", "db")),
        ("postgresql://u:a:b@[::1]:1/db", ("postgres", "u", "a:b", "::1", "1", "db")),
        ("postgresql://u:p@h1:1,h2:2/db", ("postgres", "u", "p", "h1,h2", "1,2", "db")),
        ("postgresql:///db?host=/tmp/pg", ("postgres", "", "", "", "", "db")),
        (" postgresql://u:p@h/db\n", ("postgres", "u", "p", "h", "", "db")),
        ("mysql+pymysql://u:a@b@h:3307/db", ("mysql", "u", "a@b", "h", "3307", "db")),
        ("mariadb://u@h", ("mysql", "u", "", "h", "", "")),
        ("sqlite:///relative.db", ("sqlite", "", "", "", "", "relative.db")),
        ("sqlite:////absolute/a b.db", ("sqlite", "", "", "", "", "/absolute/a b.db")),
        ("sqlite://", ("sqlite", "", "", "", "", "")),
        ("duckdb:///:memory:", ("duckdb", "", "", "", "", ":memory:")),
        ("duckdb:////data/@x.db", ("duckdb", "", "", "", "", "/data/@x.db")),
    ],
)
def test_urls(text: str, expected: tuple[str, ...]) -> None:
    url = parse_url(text)
    assert (url.dialect, url.username, url.password, url.host, url.port, url.database) == expected


def test_options_are_kept() -> None:
    assert parse_url("postgresql://u:p@h/db?sslmode=require&options=-c%20a%3Db").query == {
        "sslmode": "require",
        "options": "-c a=b",
    }
    assert parse_url("postgresql://h/db?user=me@here").query == {"user": "me@here"}


@pytest.mark.parametrize(
    "text",
    [
        "", "nonsense-canary", "u:canary@h/db", "oracle://u:canary@h/db", "mysql://u:canary@tcp(h:3306)/db",
        "maxcompute://canary:canary@h/api", "postgresql://u:canary@h:port/db", "postgresql+asyncpg://u:canary@h/db",
    ],
)  # fmt: skip
def test_bad_urls_are_refused_without_showing_them(text: str) -> None:
    with pytest.raises(RunError) as caught:
        parse_url(text)
    assert caught.value.kind == "usage"
    assert caught.value.hint
    assert "canary" not in caught.value.message + caught.value.hint


def test_the_password_is_not_in_the_repr() -> None:
    url = parse_url("postgresql://u:canary@h/db?sslpassword=canary")
    assert "canary" not in repr(url) + str(url)
    assert str(url) == "postgresql://u@h/db"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=6), st.sampled_from("@ :/"))
def test_every_spelling_of_a_password_is_scrubbed(password: str, around: str) -> None:
    quoted = quote(password, safe="")
    scrub = scrubber(parse_url(f"postgresql://u:{quoted}@h/db"))
    words = f"a{around}{password}{around}b {quoted} {quoted.lower()}"
    assert password not in scrub(words).replace("***", "")
    assert quoted not in scrub(words).replace("***", "")


def test_a_short_password_is_scrubbed_where_it_shows() -> None:
    scrub = scrubber(parse_url("postgresql://u:a@h/db"))
    assert scrub("a table at postgresql://u:a@h/db password=a") == "a table at postgresql://u:***@h/db password=***"


def test_nothing_to_scrub() -> None:
    assert scrubber(parse_url("sqlite:///x"))("words") == "words"
