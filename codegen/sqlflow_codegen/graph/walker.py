"""Collects the references in syntax trees.

One walk over a tree, without recursion, so that no nesting is too deep for it. Nothing here knows the effects of other
statements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sqlglot import exp

from sqlflow_codegen.graph.functions import NAMING, Verdict, judge
from sqlflow_codegen.graph.naming import Names, Reference
from sqlflow_codegen.graph.references import LEAVES, References, children, expressions, path, unwrap
from sqlflow_codegen.graph.sql_parser import NotUnderstoodError
from sqlflow_codegen.language.names import parse_name

Scope = frozenset[str]
"""Names of the common table expressions that a part of the tree sees."""

_NO_NAMES: Scope = frozenset()

_NODE = exp.Expr
_FILE_READERS = (exp.ReadCSV, exp.ReadParquet)


class Walker:
    """Collects the references in trees of one dialect."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._dialect = names.dialect
        self._handlers: dict[type[exp.Expr], Callable[[exp.Expr, Scope], Iterable[exp.Expr]]] = {
            exp.Table: self._table,
            exp.Column: self._column,
            exp.Insert: self._insert,
            exp.Update: self._update,
            exp.Delete: self._delete,
            exp.Merge: self._merge,
            exp.Into: self._into,
            exp.Anonymous: self._function,
            exp.AnonymousAggFunc: self._function,
            exp.Dot: self._dot,
            exp.NextValueFor: self._next_value,
            exp.Parameter: self._parameter,
            exp.SessionParameter: self._session_parameter,
            exp.PropertyEQ: self._assignment,
            exp.Command: self._command,
            exp.DynamicIdentifier: self._computed,
            exp.TableFromRows: self._rows,
            exp.Cast: self._cast,
        }
        for reader in _FILE_READERS:
            self._handlers[reader] = self._file_reader
        self._found = References()
        self._stack: list[tuple[exp.Expr, Scope]] = []

    def collect(self, trees: Iterable[exp.Expr], found: References | None = None) -> References:
        """The references in the trees, added to `found` if given.

        Raises:
            NotUnderstoodError: they hold something whose effects are not known.
        """
        self._found = References() if found is None else found
        self._stack = stack = [(tree, _NO_NAMES) for tree in trees]
        handlers = self._handlers
        while stack:
            node, scope = stack.pop()
            args = node.args
            if args.get("with_"):
                scope = self._with(args["with_"], scope)
            handler = handlers.get(node.__class__)
            if handler is not None:
                stack.extend((child, scope) for child in handler(node, scope))
                continue
            for key, value in args.items():
                if value.__class__ is list:
                    stack.extend([(item, scope) for item in value if isinstance(item, _NODE)])
                elif isinstance(value, _NODE) and value.__class__ not in LEAVES and key != "with_":
                    stack.append((value, scope))
        return self._found

    def _with(self, clause: exp.Expr, scope: Scope) -> Scope:
        """Queue the bodies of a WITH clause; the names that its statement sees."""
        recursive = bool(clause.args.get("recursive"))
        for cte in clause.args.get("expressions") or ():
            alias = cte.args.get("alias")
            name = alias.this if alias is not None else None
            outer = scope
            if isinstance(name, exp.Identifier):
                scope = scope | {self._fold(name)}
            self._stack.extend((child, scope if recursive else outer) for child in children(cte, skip=("alias",)))
        return scope

    def _fold(self, identifier: exp.Identifier) -> str:
        return self._names.fold((identifier.name, identifier.quoted))

    # -- handlers: note what a node means and return the children that still have to be seen

    def _table(self, node: exp.Expr, scope: Scope) -> Iterable[exp.Expr]:
        args = node.args
        name = args.get("this")
        rest = [
            value
            for key, value in args.items()
            if value and key not in ("this", "db", "catalog", "alias", "only") and value is not True
        ]
        children = expressions(rest)
        if not isinstance(name, exp.Identifier):
            return children if name is None else [*children, *self._table_function(node, name)]
        if not (args.get("db") is None and scope and self._fold(name) in scope):
            self._found.reads.append(self.reference(node))
        return children

    def reference(self, table: exp.Expr | None) -> Reference:
        """The name of a table node.

        Raises:
            NotUnderstoodError: it has none.
        """
        args = table.args if isinstance(table, exp.Expr) else {}
        parts: list[object] = []
        for part in filter(None, map(args.get, ("catalog", "db", "this"))):
            parts += part.flatten() if isinstance(part, exp.Dot) else [part]
        if not all(isinstance(part, exp.Identifier) for part in parts):
            raise NotUnderstoodError("it computes the name of a table")
        found = path(parts)
        if not found:
            raise NotUnderstoodError("it names no table where one is due")
        name, quoted = found[-1]
        if self._dialect == "duckdb" and quoted and any(sign in name for sign in "./*"):
            self._found.files[name] = None
        if self._dialect in ("spark", "hive") and len(found) > 1 and "/" in name:  # parquet.`/path`
            self._found.files[name] = None
        return found[-3:]

    def _table_function(self, table: exp.Expr, call: exp.Expr) -> Iterable[exp.Expr]:
        """A function in place of a table."""
        schema = table.args.get("db")
        if isinstance(schema, exp.Identifier) and isinstance(call, exp.Func):
            name = call.name if isinstance(call, exp.Anonymous) else call.sql_name()
            return self._call(f"{schema.name.lower()}.{name.lower()}", call)
        if isinstance(call, exp.Var | exp.Literal):
            self._found.files[call.name if isinstance(call, exp.Literal) else ""] = None  # a stage of Snowflake
        return (call,)

    def _column(self, node: exp.Expr, _scope: Scope) -> Iterable[exp.Expr]:
        if self._dialect == "snowflake" and isinstance(node, exp.Column) and node.name.lower() == "nextval":
            self._found.sequences.append(path(node.parts[:-1]))
        this = node.args.get("this")
        return () if this is None or this.__class__ in LEAVES else (this,)

    def _insert(self, node: exp.Expr, _scope: Scope) -> Iterable[exp.Expr]:
        if node.args.get("is_function"):
            raise NotUnderstoodError("it inserts into a function")
        target = unwrap(node.args.get("this"))
        if isinstance(target, exp.Table):
            self._found.writes.append(self.reference(target))
        elif isinstance(target, exp.Directory):
            self._found.writes_files = True
        return children(node, skip=("this", "with_"))

    def _update(self, node: exp.Expr, _scope: Scope) -> Iterable[exp.Expr]:
        for target in expressions([node.args.get("this")]):
            self._found.writes.extend(self.reference(table) for table in target.find_all(exp.Table) if table.this)
        return children(node, skip=("with_",))

    def _delete(self, node: exp.Expr, _scope: Scope) -> Iterable[exp.Expr]:
        args = node.args
        targets = expressions([args.get("this")]) or expressions([args.get("tables")])
        if not targets:
            raise NotUnderstoodError("it names no table where one is due")
        if args.get("tables") or (self._dialect == "mysql" and args.get("using")):
            targets += expressions([args.get("using"), args.get("joins")])  # MySQL names targets by their aliases
        for target in targets:
            self._found.writes.extend(self.reference(table) for table in target.find_all(exp.Table))
        return children(node, skip=("tables", "with_"))

    def _merge(self, node: exp.Expr, _scope: Scope) -> Iterable[exp.Expr]:
        target = unwrap(node.args.get("this"))
        if not isinstance(target, exp.Table):
            raise NotUnderstoodError("it merges into no table")
        self._found.writes.append(self.reference(target))
        return children(node, skip=("with_",))

    def _into(self, node: exp.Expr, _scope: Scope) -> Iterable[exp.Expr]:
        target = unwrap(node.args.get("this"))
        if isinstance(target, exp.Table) and isinstance(target.this, exp.Parameter):
            self._found.assigned.add(target.this.name.lower())
            return (target.this,)
        if not isinstance(target, exp.Table) or node.args.get("bulk_collect") or node.args.get("expressions"):
            raise NotUnderstoodError("its INTO names no table")
        self._found.into.append((self.reference(target), bool(node.args.get("temporary"))))
        return ()

    def _function(self, node: exp.Expr, _scope: Scope) -> Iterable[exp.Expr]:
        return self._call(node.name.lower(), node)

    def _call(self, name: str, node: exp.Expr) -> Iterable[exp.Expr]:
        bare = name.rpartition(".")[2]
        arguments = node.args.get("expressions") or ()
        if bare in ("nextval", "setval"):
            self._found.sequences.append(self._sequence(arguments))
            return expressions(arguments[1:])
        if bare.startswith(NAMING.get(self._dialect, ("\0",))):
            raise NotUnderstoodError(f"{name}() uses relations that its arguments name")
        if name == "table":
            return self._table_argument(arguments)
        if judge(name, self._dialect) is Verdict.FILES:
            self._read_files(next(iter(arguments), None))
        else:
            self._found.functions[name] = None
        return children(node)

    def _table_argument(self, arguments: Sequence[exp.Expr]) -> Iterable[exp.Expr]:
        """TABLE(t) as the argument of a table function; TABLE(f(...)) in place of a table."""
        for each in arguments:
            if isinstance(each, exp.Column):
                self._found.reads.append(path(each.parts)[-3:])
            elif not isinstance(each, exp.Func | exp.Dot):
                raise NotUnderstoodError("it computes the name of a table")
        return [each for each in arguments if not isinstance(each, exp.Column)]

    def _dot(self, node: exp.Expr, _scope: Scope) -> Iterable[exp.Expr]:
        call = node.args.get("expression")
        owner = node.args.get("this")
        if isinstance(call, exp.Anonymous) and isinstance(owner, exp.Identifier | exp.Dot | exp.Column):
            path = ".".join(identifier.name.lower() for identifier in owner.find_all(exp.Identifier))
            return self._call(f"{path}.{call.name.lower()}", call)
        return children(node)

    def _sequence(self, arguments: list[exp.Expr] | tuple[()]) -> Reference:
        """The sequence that the first argument names; `()` if it is computed."""
        first = arguments[0] if arguments else None
        if isinstance(first, exp.Cast):
            first = first.this
        if isinstance(first, exp.Literal) and first.is_string:
            return self._named(first.name)
        if self._dialect != "postgres" and isinstance(first, exp.Column):
            return path(first.parts)[-3:]
        return ()

    def _named(self, text: str) -> Reference:
        """The relation that a text names; `()` if it is no name."""
        try:
            return parse_name(text, self._dialect)[-3:]
        except ValueError:
            return ()

    def _next_value(self, node: exp.Expr, _scope: Scope) -> Iterable[exp.Expr]:
        self._found.sequences.append(self._sequence([node.this]))
        return ()

    def _parameter(self, node: exp.Expr, _scope: Scope) -> Iterable[exp.Expr]:
        self._found.variables.add(node.name.lower())
        return ()

    def _session_parameter(self, node: exp.Expr, _scope: Scope) -> Iterable[exp.Expr]:
        self._found.parameters.add(node.name.lower())
        return ()

    def _assignment(self, node: exp.Expr, _scope: Scope) -> Iterable[exp.Expr]:
        if self._dialect == "mysql" and isinstance(node.this, exp.Parameter):
            self._found.assigned.add(node.this.name.lower())
        return children(node)

    def _file_reader(self, node: exp.Expr, _scope: Scope) -> Iterable[exp.Expr]:
        first = node.this if isinstance(node.this, exp.Expr) else next(iter(node.expressions), None)
        self._read_files(first)
        return children(node)

    def _read_files(self, argument: object) -> None:
        """Note the files that an argument names, alone or in a list."""
        for each in argument.expressions if isinstance(argument, exp.Array) else (argument,):
            self._found.files[each.name if isinstance(each, exp.Literal) and each.is_string else ""] = None

    def _computed(self, _node: exp.Expr, _scope: Scope) -> Iterable[exp.Expr]:
        raise NotUnderstoodError("it computes the name of a table")

    def _rows(self, node: exp.Expr, _scope: Scope) -> Iterable[exp.Expr]:
        if not isinstance(node.this, exp.Func | exp.Dot):
            raise NotUnderstoodError("it computes the name of a table")
        return children(node)

    def _cast(self, node: exp.Expr, _scope: Scope) -> Iterable[exp.Expr]:
        """A name as PostgreSQL's regclass has to be there."""
        to, this = node.args.get("to"), node.this
        if isinstance(to, exp.ObjectIdentifier) and to.name.upper() == "REGCLASS":
            if isinstance(this, exp.Literal) and this.is_string:
                self._found.reads.append(self._named(this.name) or ((this.name, True),))
            else:
                self._found.functions["to_regclass"] = None
        return children(node)

    def _command(self, node: exp.Expr, _scope: Scope) -> Iterable[exp.Expr]:
        raise NotUnderstoodError(f"what {node.name.upper() or 'it'} does is not known")
