"""The graph of the test program, in place of the one that is planned."""

from __future__ import annotations

import pytest

from tests.unit.codegen_engines.cases import CODEGENS, STEPS


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps as in `cases.STEPS`, whatever the program."""
    monkeypatch.setattr("sqlflow_codegen.generator.plan_steps", lambda *_, **__: STEPS)


@pytest.fixture(params=list(CODEGENS))
def backend(request: pytest.FixtureRequest) -> str:
    """Each of the engines."""
    return str(request.param)
