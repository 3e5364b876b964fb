"""DuckDB, for programs on one computer: its own Python module, in autocommit mode."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import duckdb

from sqlflow_runtime.databases.driver import BATCH_ROWS, EmbeddedDatabase, first_word, not_opened, qualified
from sqlflow_runtime.databases.rows import ArrowStream, Column, PreviewLimit, Row, RowStream, StatementResult, preview
from sqlflow_runtime.databases.url import DatabaseUrl
from sqlflow_runtime.errors import RunError

if TYPE_CHECKING:
    import pyarrow as pa

    from sqlflow_runtime.databases.result_writers import ResultTables

_KINDS = {
    "BOOLEAN": "bool", "FLOAT": "float", "DOUBLE": "float", "DECIMAL": "decimal", "VARCHAR": "string", "BLOB": "bytes",
    "DATE": "date", "TIME": "time", "INTERVAL": "interval", "JSON": "json",
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"), "int"),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"), "int"),
}  # fmt: skip
_TIMES = re.compile("DATE|TIMESTAMP|INTERVAL")
"""Types, also inside of nested ones, whose values the Python client does not always hold."""
_QUERIES = ("SELECT", "FROM", "WITH", "VALUES")
_READING = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
_ENDS = ("COMMIT", "END", "ROLLBACK", "ABORT")
_CATALOG = "sqlflow_file"
"""The file's catalogue inside DuckDB. Its own name would make a schema of that name ambiguous (iris.duckdb)."""
_FINAL = (
    duckdb.ProgrammingError,
    duckdb.DataError,
    duckdb.IntegrityError,
    duckdb.NotSupportedError,
    duckdb.PermissionException,
    duckdb.DependencyException,
    duckdb.SequenceException,
)
"""Errors that blame the program or its data; the others (memory, disk, another writer) may pass."""
_PASSING = ("IO Error", "Out of Memory", "INTERRUPT", "FATAL", "INTERNAL")
"""The first words of those others."""
_ARROW_KINDS = ("bool", "float", "bytes", "string")
_WIDE = ("HUGEINT", "UHUGEINT")


def open_duckdb(url: DatabaseUrl, where: str) -> DuckDB:
    """Open the file, creating it if its folder exists; see `open_database`."""
    path = url.database or ":memory:"
    try:
        connection = duckdb.connect(":memory:")
        if path != ":memory:":
            connection.execute(f"ATTACH {literal(path)} AS {_CATALOG}")
            connection.execute(f"USE {_CATALOG}")
    except duckdb.Error as error:
        raise not_opened(url, where, str(error).splitlines()[0]) from error
    return DuckDB(connection)


class DuckDB(EmbeddedDatabase):
    """DuckDB. Autocommit, unless the program says BEGIN."""

    dialect = "duckdb"
    types: ClassVar[Mapping[str, str]] = {
        "int": "BIGINT",
        "float": "DOUBLE",
        "bool": "BOOLEAN",
        "bytes": "BLOB",
        "json": "JSON",
        "": "VARCHAR",
    }
    errors = duckdb.Error

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._open = False
        connection.execute("SET enable_progress_bar = false")

    @cached_property
    def results(self) -> ResultTables:
        from sqlflow_runtime.databases.duckdb_results import DuckDBResults

        return DuckDBResults(self)

    def run_reading(self, sql: str, limit: PreviewLimit) -> StatementResult | None:
        """See `Database.run_reading`. DuckDB's own parser knows the statements that only read."""
        if any(kind not in _READING for kind in self._kinds_of(sql)):
            return None
        return self.run(sql, limit)

    def run(self, sql: str, limit: PreviewLimit) -> StatementResult:
        """See `Database.run`. DuckDB hands out a SELECT's rows as they are computed."""
        query, columns = self._as_text(sql)
        with self.failing(sql, query.find(sql)):
            cursor = self._connection.execute(query)
            self._follow(first_word(sql))
            if not cursor.description:
                return StatementResult()
            columns = columns or _columns(cursor)
            # Statements that return no rows report a result of one column all the same.
            match [column.name for column in columns], first_word(sql) in ("SELECT", "FROM", "WITH"):
                case ["Count"], False:
                    return StatementResult(affected=(cursor.fetchone() or (-1,))[0])
                case ["Success"], False:
                    return StatementResult()
            return preview(iter(cursor.fetchone, None), columns, limit, stop=lambda: None)

    def _kinds_of(self, sql: str) -> list[duckdb.StatementType]:
        """The kinds of the statements in a text, by DuckDB's own parser; nothing is executed."""
        with self.failing(sql):
            return [statement.type for statement in self._connection.extract_statements(sql)]

    def _as_text(self, sql: str) -> tuple[str, tuple[Column, ...]]:
        """A query in which DuckDB itself writes dates, times and intervals, and the columns of the original.

        Its Python client makes 360 days of `1 year`, 9999-12-31 of `infinity`, and drops nanoseconds. A statement
        without such columns stays as it is, and so does one that may do more than read: it must not be described.
        """
        if first_word(sql) not in _QUERIES:
            return sql, ()
        if self._kinds_of(sql) != [duckdb.StatementType.SELECT]:
            return sql, ()
        columns = self.describe(sql)
        if not any(_TIMES.search(column.type) for column in columns):
            return sql, ()
        # By position: names may occur twice. Behind a line break, in case the statement ends with a comment.
        shown = ", ".join(_shown(number, column) for number, column in enumerate(columns, start=1))
        return f"SELECT {shown} FROM ({sql}\n)", columns

    def _follow(self, verb: str) -> None:
        """Remember the transactions: DuckDB does not show whether one is open."""
        if verb in ("BEGIN", "START"):
            self._open = True
        elif verb in _ENDS:
            self._open = False

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        verb = first_word(sql)
        self._open = self._open and verb not in _ENDS  # a COMMIT that fails is the transaction's end too
        rows = super().execute(sql, parameters)
        self._follow(verb)
        return rows

    def execute_around(self, before: str, select: str, after: str) -> None:
        """Execute a statement of our own that holds a select of the user."""
        with self.failing(select, len(before)):
            self._connection.execute(f"{before}{select}{after}")

    def insert_table(self, name: str, rows: pa.Table) -> None:
        """Add an Arrow table's rows to a table."""
        view = f"sqlflow_{secrets.token_hex(8)}"
        with self.failing():
            self._connection.register(view, rows)
            try:
                self._connection.execute(f"INSERT INTO {name} SELECT * FROM {view}")
            finally:
                self._connection.unregister(view)

    def table_names(self, select: str) -> list[str]:
        """Quoted names of the tables that a select reads; fails on PIVOT, which is several statements to DuckDB."""
        with self.failing():
            return list(self._connection.get_table_names(select, qualified=True))

    def in_transaction(self) -> bool:
        return self._open

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """See `Database.atomic`. Inside a transaction of the program nothing more: DuckDB has no savepoints."""
        if self._open:
            yield
            return
        with super().atomic():
            yield

    def needs_no_transaction(self, failure: RunError) -> bool:
        """CHECKPOINT, VACUUM and their like, and what writes to another attached database than the ledger's."""
        message = failure.message
        elsewhere = "single attached database" in message
        return elsewhere or ("transaction" in message and ("Cannot" in message or "cannot" in message))

    def describe(self, select: str) -> tuple[Column, ...]:
        with self.failing(select, len("DESCRIBE ")):
            rows = self._connection.execute(f"DESCRIBE {select}").fetchall()
        return tuple(Column(row[0], row[1], _kind(row[1])) for row in rows)

    @contextmanager
    def read(self, select: str, size: int = BATCH_ROWS) -> Iterator[RowStream]:
        columns = self.describe(select)
        with self.failing(select):
            cursor = self._connection.execute(select)
            yield RowStream(columns, iter(lambda: cursor.fetchmany(size), []))

    @contextmanager
    def read_arrow(self, select: str) -> Iterator[ArrowStream]:
        """See `Database.read_arrow`. DuckDB's own reader; what Arrow has no type for is text as DuckDB writes it."""
        columns = self.describe(select)
        query, before = select, 0
        if any(_is_cast(column) for column in columns):
            shown = (f"CAST(#{n} AS VARCHAR)" if _is_cast(one) else f"#{n}" for n, one in enumerate(columns, start=1))
            query = f"SELECT {', '.join(shown)} FROM ({select}\n)"
            before = query.find(select)
        with self.failing(select, before):
            reader = self._connection.sql(query).to_arrow_reader(BATCH_ROWS)
        with closing(reader):
            yield ArrowStream(columns, self._batches(reader, [column.name for column in columns]))

    def _batches(self, reader: Any, names: Sequence[str]) -> Iterator[Any]:
        from sqlflow_runtime.arrow import pa

        try:
            for batch in reader:
                yield pa.RecordBatch.from_arrays(batch.columns, names=names)
        except (OSError, pa.ArrowException) as error:  # DuckDB's words, in PyArrow's exception
            words = re.sub(r"\n+", "\n", str(error)).strip()
            raise RunError("database", words, final=not words.startswith(_PASSING)) from error

    def tables(self) -> list[str]:
        rows = self.execute(
            "SELECT table_schema, table_name FROM information_schema.tables "
            "WHERE table_catalog = current_database() ORDER BY 1, 2 LIMIT 500"
        )
        return qualified(rows, self.own_schema)

    def has_own_table(self, name: str) -> bool:
        sql = (
            "SELECT 1 FROM information_schema.tables "
            "WHERE table_catalog = current_database() AND table_schema = 'main' AND table_name = ?"
        )
        return bool(self.execute(sql, (name,)))

    def failure(self, error: duckdb.Error, sql: str | None, before: int) -> RunError:
        words, _, picture = str(error).partition("\n\nLINE ")
        words = re.sub(r"\n+", "\n", words).strip()
        hint = "Close the other program that has the file open." if "lock on file" in words else ""
        kind = "connection" if "lock on file" in words else "database"
        final = isinstance(error, _FINAL)
        return RunError(kind, words, hint, position=_position(sql, picture, before), final=final)


def _position(sql: str | None, picture: str, before: int) -> int | None:
    """The place in the text that DuckDB's picture (`1: SELECT x` over `   ^`) points at."""
    match = re.match(r"(?P<line>\d+): (?P<text>.*)\n(?P<blank> *)\^", picture)
    if sql is None or match is None or match["text"].startswith("..."):
        return None
    number = int(match["line"])
    column = len(match["blank"]) - len(f"LINE {number}: ")
    lines = sql.split("\n")
    if number > len(lines) or column < 0:
        return None
    start = sum(len(line) + 1 for line in lines[: number - 1])
    position = start + column - (before if number == 1 else 0)
    return position if 0 <= position < len(sql) else None


def _shown(number: int, column: Column) -> str:
    """A column by its position, as text where Python would lose something."""
    if not _TIMES.search(column.type):
        return f"#{number}"
    return f"to_json(#{number})" if column.kind == "json" else f"CAST(#{number} AS VARCHAR)"


def _is_cast(column: Column) -> bool:
    """True for a column that `read_arrow` returns as text."""
    if column.kind == "int":
        return column.type in _WIDE
    return column.kind not in _ARROW_KINDS or column.type.startswith("ENUM")


def _columns(cursor: Any) -> tuple[Column, ...]:
    return tuple(Column(item[0], str(item[1]), _kind(str(item[1]))) for item in cursor.description)


def _kind(name: str) -> str:
    """The kind of a type by DuckDB's name of it."""
    if name.endswith("]") or name.startswith(("STRUCT", "MAP", "UNION")):
        return "json"
    if name.startswith("TIMESTAMP"):
        return "timestamp"
    if name.startswith("ENUM"):
        return "string"
    if name.startswith("TIME "):
        return "time"
    return _KINDS.get(name.partition("(")[0], "other")


def literal(text: str) -> str:
    """A text as DuckDB's SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
