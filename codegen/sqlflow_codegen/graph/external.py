"""Tables whose rows lie elsewhere: in a file, in another table, on another server that may be this one.

Whoever reads such a table reads that file or that table. A table of another server is taken for any table of that
name here, because the other server may be this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from sqlflow_codegen.graph.data_objects import ANY_FILE, DataObject
from sqlflow_codegen.graph.files import file_resource
from sqlflow_codegen.graph.naming import Reference
from sqlflow_codegen.graph.sql_parser import NotUnderstoodError, name_after, word_of

_SAFE_ENGINES = frozenset(
    ["innodb", "myisam", "aria", "memory", "heap", "csv", "archive", "rocksdb", "tokudb", "columnstore", "blackhole"]
)
_TABLE_OPTIONS = frozenset(
    ["table_name", "table", "tablename", "tabname", "relation", "dbtable", "collection", "object"]
)
_FILE_OPTIONS = frozenset(["filename", "file_name", "file", "path", "location", "external_location", "uri", "uris"])
_CODE_OPTIONS = frozenset(["query", "program", "srcdef", "sql", "coltype", "sql_query", "command"])
_OWN_TABLES = ("data", "idx", "content", "docsize", "config", "segments", "segdir", "stat", "node", "parent", "rowid")
"""Tables of its own that a virtual table of SQLite keeps (fts3 to fts5, rtree): its name, `_`, and one of these."""
_PLAIN_MODULES = frozenset(["rtree", "rtree_i32", "geopoly", "fts3", "fts4", "fts5", "dbstat", "series", "json_each"])


@dataclass(slots=True)
class ExternalData:
    """The places of a table's rows outside the table.

    Attributes:
        tables: names of tables that may be read and written through it.
        files: likewise files.
        unclear: using it may do anything.
    """

    tables: list[Reference] = field(default_factory=list)
    files: list[DataObject] = field(default_factory=list)
    unclear: bool = False

    def __bool__(self) -> bool:
        return bool(self.tables or self.files or self.unclear)

    def option(self, name: str, value: str) -> None:
        """Note an option of a definition."""
        key = name.lower()
        if key in _TABLE_OPTIONS:
            self.table(value)
        elif key in _FILE_OPTIONS:
            self.files.append(file_resource(value, folder=True))
        elif key in _CODE_OPTIONS:
            self.unclear = True
        elif key == "connection":  # of MySQL's FEDERATED: a URL or a server, and the table
            self.table(value.rstrip("/").rpartition("/")[2])

    def table(self, name: str) -> None:
        """Note a table of another server, or of another name, by its last part: nobody knows its schema here."""
        if last := name.rpartition(".")[2].strip(' "`[]'):
            self.tables.append(((last, True),))


def of_properties(properties: Iterable[exp.Expr]) -> ExternalData:
    """The external data of a table that sqlglot understands, by its engine, its location and its options."""
    found = ExternalData()
    engine = external = False
    for each in properties:
        if isinstance(each, exp.LocationProperty):
            found.files.append(
                file_resource(each.name, folder=True) if isinstance(each.this, exp.Literal) else ANY_FILE
            )
        elif isinstance(each, exp.OptionsProperty):
            for option in each.expressions:
                _option(option, found)
        elif isinstance(each, exp.ExternalProperty | exp.VirtualProperty):
            external = True
        elif isinstance(each, exp.EngineProperty):
            engine = each.name.lower() not in _SAFE_ENGINES
        elif isinstance(each, exp.Property):
            _option(each, found)
    if external and not found:
        found.files.append(ANY_FILE)
    if engine and not found:
        found.unclear = True
    return found


def _option(option: exp.Expr, found: ExternalData) -> None:
    value = option.args.get("value")
    if isinstance(value, exp.Literal):
        found.option(option.name, value.name)
    elif isinstance(value, exp.Expr) and option.name.lower() in _FILE_OPTIONS:
        found.files.append(ANY_FILE)


def foreign_table(tokens: Sequence[Token]) -> tuple[Reference, ExternalData]:
    """The name of `CREATE FOREIGN TABLE`, and its external data.

    Raises:
        NotUnderstoodError: it says more than a server and options.
    """
    every = [word_of(token) for token in tokens]
    if "SERVER" not in every or {"PARTITION", "INHERITS"} & set(every):
        raise NotUnderstoodError("what CREATE FOREIGN TABLE brings about is not followed")
    name, _ = name_after(tokens, 6 if every[3:6] == ["IF", "NOT", "EXISTS"] else 3)
    server = max(n for n, word in enumerate(every) if word == "SERVER")
    found = ExternalData()
    rest = tokens[server + 2 :]
    for option, value in pairwise(rest):
        if value.token_type is TokenType.STRING:
            found.option(option.text, value.text)
    if not found:
        found.table(name[-1][0])
    if server + 1 < len(tokens):
        found.tables.append(((tokens[server + 1].text, False),))  # a change of the server changes its tables
    return name, found


def virtual_table(tokens: Sequence[Token]) -> tuple[Reference, ExternalData]:
    """The name of SQLite's `CREATE VIRTUAL TABLE`, and the data that its module reads besides the tables of its own.

    Raises:
        NotUnderstoodError: it names no module.
    """
    every = [word_of(token) for token in tokens]
    name, after = name_after(tokens, 6 if every[3:6] == ["IF", "NOT", "EXISTS"] else 3)
    if not name or every[after : after + 1] != ["USING"] or after + 1 >= len(tokens):
        raise NotUnderstoodError("what CREATE VIRTUAL TABLE brings about is not followed")
    module, found = tokens[after + 1].text.lower(), ExternalData()
    rest = tokens[after + 2 :]
    options = {
        option.text.lower(): value.text
        for option, sign, value in zip(rest, rest[1:], rest[2:], strict=False)
        if sign.token_type is TokenType.EQ
    }
    if module == "fts5vocab":
        strings = [token.text for token in rest if token.token_type not in (TokenType.L_PAREN, TokenType.COMMA)]
        found.table(strings[1] if len(strings) > 3 else strings[0] if strings else "")
    elif options.get("content"):
        found.table(options["content"])
    elif "filename" in options:
        found.files.append(file_resource(options["filename"]))
    elif module not in _PLAIN_MODULES:
        found.unclear = True
    return name, found


def own_tables(name: Reference) -> list[Reference]:
    """The tables in which a virtual table may keep its rows."""
    last, quoted = name[-1]
    return [(*name[:-1], (f"{last}_{suffix}", quoted)) for suffix in _OWN_TABLES]
