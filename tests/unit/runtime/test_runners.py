"""Every kind of statement has a module that executes it."""

from __future__ import annotations

from sqlflow_codegen.language import ir
from sqlflow_codegen.language.program import Statement
from sqlflow_runtime.execute import _RUNNERS


def test_every_kind_of_statement_is_executed() -> None:
    classes = [one for one in vars(ir).values() if isinstance(one, type) and issubclass(one, Statement)]
    assert set(_RUNNERS) == {one.kind for one in classes if "kind" in vars(one)}
