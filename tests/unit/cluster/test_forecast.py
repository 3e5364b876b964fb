from __future__ import annotations

import io

import pytest
from devcluster import progress
from devcluster.forecast import Forecast, Work, about
from devcluster.progress import Reporter

WORKS = (Work("Build kubernetes", 280), Work("Build coredns", 90), Work("Build the image", 40))


def test_a_forecast_counts_what_is_left_and_scales_it_by_cores() -> None:
    assert Forecast(WORKS, cores=2).seconds_left() == pytest.approx(410)
    assert Forecast(WORKS, cores=8).seconds_left() == pytest.approx(410 / 4)
    assert Forecast(WORKS, cores=64).seconds_left() == pytest.approx(410 / 4)


def test_a_forecast_learns_from_what_a_step_took() -> None:
    forecast = Forecast(WORKS, cores=2)
    forecast.end("Build kubernetes", 840)  # three times as long: a busy machine
    assert forecast.seconds_left() == pytest.approx(130 * (840 + 60) / (280 + 60))
    forecast.end("something else", 1000)
    assert forecast.seconds_left() == pytest.approx(130 * (840 + 60) / (280 + 60))
    forecast.end("Build coredns", 90)
    forecast.end("Build the image", 40)
    assert forecast.seconds_left() == 0


@pytest.mark.parametrize(
    ("seconds", "words"), [(3, "about 10 s"), (44, "about 40 s"), (95, "about 2 min"), (700, "about 12 min")]
)
def test_a_forecast_is_said_in_round_numbers(seconds: float, words: str) -> None:
    assert about(seconds) == words


def test_steps_of_a_plan_are_numbered_and_say_what_is_left(
    reporter: Reporter, screen: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.0)
    reporter.plan(WORKS)
    with reporter.step("Build kubernetes"):
        pass
    with reporter.step("not planned"):
        pass
    lines = [line for line in screen.getvalue().splitlines() if not line.startswith("…")]
    assert lines[0].startswith("3 steps, about ")
    assert lines[1].startswith("✓ [1/3] Build kubernetes (0 s; about ")
    assert lines[2] == "✓ not planned (0 s)"


def test_the_first_plan_stays(reporter: Reporter, screen: io.StringIO) -> None:
    reporter.plan([])
    reporter.plan(WORKS)
    reporter.plan([Work("a part of it", 1)])
    assert screen.getvalue().count(" in all") == 1
