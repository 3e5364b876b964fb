"""Random programs over what definitions read elsewhere: files, other servers, other names of a file or a schema.

They start from a few tables, files and views of their own, so that the same few names meet often.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.properties.databases import Database, Session
from tests.properties.execution import Outcome
from tests.properties.orders import valid

RULES = {"files": "duckdb", "attached": "sqlite", "trust": "postgres"}
"""Rules of the graph that these programs are about, and the database that notices soon when one is missing."""

_TABLES = ["CREATE TABLE t1 AS SELECT 1 AS id, 3 AS v", "CREATE TABLE t2 AS SELECT 2 AS id, 5 AS v"]
_CHANGES = [
    "UPDATE {t} SET v = (v * 3 + {k}) % 1009",
    "INSERT INTO {t} VALUES ({k}, {k})",
    "SELECT * FROM {t}",
    "CREATE TABLE {name} AS SELECT * FROM {t}",
]


@dataclass(frozen=True)
class Kind:
    """The programs of one database.

    Attributes:
        start: their first statements.
        phrases: what follows, at random.
        names: what stands for the placeholders besides `{name}` (new), `{k}` (a number), `{t}` and `{folder}`.
    """

    start: Sequence[str]
    phrases: Sequence[str]
    names: dict[str, Sequence[str]]


_POSTGRES = Kind(
    [
        *_TABLES,
        "CREATE SCHEMA s3",
        "CREATE TABLE s3.t1 AS SELECT 1 AS id, 2 AS v",
        "CREATE VIEW w1 AS SELECT id, v FROM s3.t1",
        "CREATE FOREIGN TABLE w2 (id int, v int) SERVER files OPTIONS (filename '{folder}/f1', format 'csv')",
        "CREATE VIEW w3 AS SELECT length(pg_read_file('{folder}/f2.csv')) AS id, 1 AS v",
        "CREATE FOREIGN TABLE w4 (id int, v int) SERVER loop OPTIONS (schema_name 'public', table_name 't1')",
        "CREATE VIEW w5 AS SELECT w2.id, w4.v FROM w2, w4",
    ],
    [
        *_CHANGES,
        "COPY (SELECT {k}, {k}) TO '{folder}/{file}' (FORMAT csv)",
        "COPY (SELECT id, v FROM {t}) TO '{folder}/{file}' (FORMAT csv)",
        "CREATE TABLE {name} AS SELECT * FROM {w}",
        "SELECT * FROM {w}",
        "ALTER SCHEMA s3 RENAME TO s4",
        "ALTER SCHEMA s4 RENAME TO s3",
        "INSERT INTO s4.t1 VALUES ({k}, {k})",
        "UPDATE s3.t1 SET v = (v * 5 + {k}) % 1009",
        "UPDATE w4 SET v = (v * 7 + {k}) % 1009",
        "ALTER FOREIGN TABLE w2 OPTIONS (SET filename '{folder}/{file}')",
        "CREATE OR REPLACE VIEW w1 AS SELECT id, v FROM {w}",
    ],
    {"w": ["w1", "w2", "w3", "w4", "w5"], "file": ["f1", "f2.csv"]},
)

_DUCKDB = Kind(
    [
        *_TABLES,
        "CREATE VIEW w1 AS SELECT * FROM '{folder}/f1.csv'",
        "CREATE VIEW w2 AS SELECT * FROM read_csv(['{folder}/f1.csv', '{folder}/f2.csv'])",
        "CREATE VIEW w3 AS SELECT * FROM read_csv('{folder}/*.csv')",
        "CREATE VIEW w4 AS SELECT w1.id, t1.v FROM w1, t1",
    ],
    [
        *_CHANGES,
        "COPY (SELECT {k} AS id, {k} AS v) TO '{folder}/{file}' (HEADER)",
        "COPY (SELECT id, v FROM {t}) TO '{folder}/{file}' (HEADER)",
        "CREATE TABLE {name} AS SELECT * FROM {w}",
        "SELECT * FROM {w}",
        "CREATE OR REPLACE VIEW w4 AS SELECT id, v FROM {w}",
        "COPY {t} FROM '{folder}/{file}' (HEADER)",
        "ALTER VIEW w1 RENAME TO w5",
        "ALTER VIEW w5 RENAME TO w1",
        "SELECT * FROM w5",
    ],
    {"w": ["w1", "w2", "w3", "w4"], "file": ["f1.csv", "f2.csv"]},
)

_SQLITE = Kind(
    [
        "ATTACH '{folder}/other' AS b",
        "ATTACH '{folder}/./other' AS c",
        "ATTACH ':memory:' AS m",
        *_TABLES,
        "CREATE TABLE b.t3 AS SELECT 1 AS id, 2 AS v",
        "CREATE TABLE m.t4 AS SELECT 1 AS id, 2 AS v",
        "CREATE VIEW c.w1 AS SELECT id, v FROM t3",
        "CREATE VIRTUAL TABLE w2 USING fts5(v, content='t1', content_rowid='id')",
    ],
    [
        *_CHANGES,
        "UPDATE {d}.t3 SET v = (v * 3 + {k}) % 1009",
        "INSERT INTO {d}.t3 VALUES ({k}, {k})",
        "CREATE TABLE {name} AS SELECT * FROM {d}.t3",
        "SELECT * FROM {d}.t3",
        "SELECT * FROM {d}.w1",
        "UPDATE m.t4 SET v = (v * 3 + {k}) % 1009",
        "INSERT INTO t1 SELECT id, v FROM t4",
        "INSERT INTO m.t4 SELECT id, v FROM {t}",
        "SELECT * FROM w2",
        "CREATE TABLE {name} AS SELECT v FROM w2",
    ],
    {"d": ["b", "c"]},
)

_MARIADB = Kind(
    [
        *(f"CREATE TABLE {name} (id int, v int) ENGINE=MyISAM" for name in ("t1", "t2")),
        "INSERT INTO t1 VALUES (1, 3)",
        "INSERT INTO t2 VALUES (2, 5)",
        "CREATE TABLE w1 (id int, v int) ENGINE=MERGE UNION=(t1, t2) INSERT_METHOD=LAST",
        "CREATE VIEW w2 AS SELECT id, v FROM w1",
    ],
    [
        *_CHANGES,
        "SELECT * FROM {w}",
        "CREATE TABLE {name} AS SELECT * FROM {w}",
        "UPDATE {w} SET v = (v * 5 + {k}) % 1009",
        "INSERT INTO {w} VALUES ({k}, {k})",
    ],
    {"w": ["w1", "w2"]},
)

KINDS = {"postgres": _POSTGRES, "duckdb": _DUCKDB, "sqlite": _SQLITE, "mariadb": _MARIADB}

_SERVERS = """
DROP SCHEMA IF EXISTS s4 CASCADE;
CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE EXTENSION postgres_fdw;
CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{host}', port '{port}', dbname 'postgres');
CREATE USER MAPPING FOR tester SERVER loop OPTIONS (user 'tester', password_required 'false');
"""


class WithFiles:
    """A database whose programs also use files in a folder; the files are part of what a run leaves."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.name, self.dialect, self.threads, self.second = database.name, database.dialect, database.threads, ""
        self.folder = folder
        self._database = database

    def reset(self) -> None:
        for old in self.folder.iterdir():
            old.unlink()
        for name in ("f1", "f1.csv", "f2.csv"):
            (self.folder / name).write_text("1,2\n" if self.name == "postgres" else "id,v\n1,2\n")
            (self.folder / name).chmod(0o666)
        self._database.reset()
        if self.name == "postgres":
            session = self._database.session()
            where: Any = self._database
            session.run(_SERVERS.format(host=where.server.folder, port=where.server.port))
            session.close()

    def session(self) -> Session:
        return self._database.session()

    def dump(self) -> dict[str, Any]:
        found = self._database.dump()
        texts = {each.name: each.read_text() for each in self.folder.iterdir() if each.name.startswith("f")}
        return found | {f"file {name}": text for name, text in sorted(texts.items())}

    def close(self) -> None:
        self._database.close()


def programs(database: WithFiles, seed: int = 0) -> Iterator[tuple[int, list[str], Outcome]]:
    """Random programs that run from first to last, with what they give. Endless."""
    kind = KINDS[database.name]
    while True:
        choose = random.Random(f"elsewhere {database.name} {seed}")
        start = [each.replace("{folder}", str(database.folder)) for each in kind.start]
        found = valid(database, start + [_phrase(kind, database, choose) for _ in range(choose.randint(4, 12))])
        if found is not None:
            yield seed, *found
        seed += 1


def _phrase(kind: Kind, database: WithFiles, choose: random.Random) -> str:
    names = {name: choose.choice(list(values)) for name, values in kind.names.items()}
    return choose.choice(list(kind.phrases)).format(
        t=choose.choice(["t1", "t2"]),
        k=choose.randint(3, 500),
        name=f"n{choose.randint(1, 10**6)}",
        folder=database.folder,
        **names,
    )
