"""The short line of `kubectl get`, and how long a run took."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlflow_operator.clock import duration
from sqlflow_operator.reconcile.headline import HEADLINE_LENGTH, headline

TITLE = "TO TRAIN xgboost.gbtree INTO churn"
SECRET = (
    "Secret db not found in namespace shop. Create it with: kubectl create secret generic db -n shop "
    "--from-literal=url=postgresql://USER:PASSWORD@HOST:5432/DATABASE"
)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (
            "Running step s2-train: TO TRAIN xgboost.gbtree INTO m",
            "Running step s2-train: TO TRAIN xgboost.gbtree INTO m",
        ),
        ("3 of 3 steps done in 12s", "3 of 3 steps done in 12s"),
        (SECRET, "Secret db not found in namespace shop."),
        (
            f'Step s2-train failed: statement 2 ({TITLE}) at 2:15: relation "t" does not exist. Create it first.',
            'Statement 2 at 2:15: relation "t" does not exist.',
        ),
        (
            "Step s2-sql failed: statement 2 (SELECT f(…)) at 2:15: division by zero. Look at row 1, and try again.",
            "Step s2-sql failed: statement 2 (SELECT f(…)) at 2:15: division by zero.",
        ),
        (
            f"Step s2-train failed (it may be tried again): statement 2 ({TITLE}) at 2:15: full; running step s3-sql",
            "Statement 2 at 2:15: full; running step s3-sql",
        ),
        (
            f"Step s2-train failed: statement 12 ({TITLE}) at 20:1: column a of {'very_' * 10}long_name has no value",
            "Statement 12 at 20:1: column a of very_very_very_very_very_very_very_ve…",
        ),
        (
            "Invalid program: statement 2, 4:12: expected INTO at the end of the statement, found nothing. "
            "Write INTO model. (1 more in status.diagnostics)",
            "Invalid program: statement 2, 4:12: expected INTO at the end of the…",
        ),
        (
            "Statement 1 (SELECT a FROM b) at 1:1: failed as did statement 2 (SELECT c) at 2:2 of it",
            "Statement 1 at 1:1: failed as did statement 2 (SELECT c) at 2:2 of it",
        ),
        ("X" * 100, "X" * 71 + "…"),
        ("X" * 60 + " (and, then: (y" + "y" * 20, "X" * 60 + " (and…"),
        ("( X" + "x" * 53 + " " + "y" * 30, "( X" + "x" * 53 + " " + "y" * 14 + "…"),
        ("X" * 57 + " " + "y" * 30, "X" * 57 + "…"),
    ],
)
def test_the_line_keeps_what_went_wrong_and_where(message: str, line: str) -> None:
    assert headline(message) == line


@given(st.text(max_size=300))
def test_it_is_never_longer(message: str) -> None:
    assert len(headline(message)) <= HEADLINE_LENGTH


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0s"),
        (0.4, "0s"),
        (42, "42s"),
        (119, "119s"),
        (120, "2m"),
        (184, "3m4s"),
        (1500, "25m"),
        (18420, "5h7m"),
        (36000, "10h"),
        (266400, "3d2h"),
        (864000, "10d"),
    ],
)
def test_a_time_span_reads_as_in_kubectl(seconds: float, text: str) -> None:
    assert duration(seconds) == text
