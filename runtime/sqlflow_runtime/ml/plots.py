"""Pictures of SHAP values, drawn by shap and XGBoost with matplotlib, as PNG files that depend on the values alone."""

from __future__ import annotations

import io
import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import matplotlib as mpl
import numpy as np
import shap
from matplotlib import pyplot as plt

from sqlflow_runtime.ml.shap_values import Floats

if TYPE_CHECKING:
    from matplotlib.container import BarContainer

mpl.use("Agg")

DEFAULT_DISPLAY = 20
"""Features that a picture shows unless the statement says otherwise."""
SIZE_LIMIT = 512 * 1024
"""Bytes of one PNG; a larger one is drawn again with fewer dots."""
_RESOLUTIONS = (110, 80, 50, 30)
"""Dots per inch."""
_INCHES = 60
"""The longest side."""
_NAME = 36
"""Characters of a feature's name that a picture shows."""
_GLYPH = re.compile(r"Glyph \d+ .*missing from")


@dataclass(frozen=True, slots=True)
class Table:
    """The rows that a picture shows.

    Attributes:
        names: of the features.
        features: rows x names, NaN where a feature is not one number.
        options: what the statement says of the picture, as shap's functions take it.
    """

    names: Sequence[str]
    features: Floats
    options: dict[str, Any]

    @property
    def shown_names(self) -> list[str]:
        """Names as a picture writes them: of limited length, and no formulas."""
        return list(map(_shortened, self.names))

    def given(self, *leave_out: str) -> dict[str, Any]:
        """The options without the title and those."""
        return {name: value for name, value in self.options.items() if name not in ("title", *leave_out)}


@dataclass(frozen=True, slots=True)
class Picture(ABC):
    """A picture; `title` says model, version and class."""

    title: str

    @abstractmethod
    def plot(self) -> None:
        """Draw it into matplotlib's current figure."""

    @property
    def heading(self) -> str:
        """The text over the picture."""
        return self.title


@dataclass(frozen=True, slots=True)
class _OfTable(Picture):
    table: Table

    @property
    def heading(self) -> str:
        """See `Picture`."""
        return str(self.table.options.get("title") or self.title)


@dataclass(frozen=True, slots=True)
class Summary(_OfTable):
    """Many rows of one output: `bar`, `dot`, `violin`, `layered_violin` or `decision`."""

    kind: str
    values: Floats
    base: float

    def plot(self) -> None:
        """See `Picture`."""
        table = self.table
        names = np.array(table.shown_names)
        if self.kind == "decision":
            options = table.given("max_display")
            limit = min(table.options.get("max_display", DEFAULT_DISPLAY), len(names))
            shap.plots.decision(
                self.base, self.values, feature_names=names.tolist(), show=False, ignore_warnings=True,
                feature_display_range=slice(-1, -limit - 1, -1), **options,
            )  # fmt: skip
            return
        options = {"max_display": DEFAULT_DISPLAY} | table.given()
        shap.summary_plot(self.values, table.features, names, plot_type=self.kind, show=False, **_seeds(), **options)


@dataclass(frozen=True, slots=True)
class Bars(_OfTable):
    """The mean of the absolute values of all classes, stacked."""

    values: Sequence[Floats]
    classes: Sequence[str]

    def plot(self) -> None:
        """See `Picture`."""
        table = self.table
        options = {"max_display": DEFAULT_DISPLAY} | table.given()
        if "color" in options:  # a colour for each class: those of a map
            colors, count = mpl.colormaps[str(options["color"])], len(self.values)
            options["color"] = lambda number: colors(number / count)
        shap.summary_plot(
            list(self.values), table.features, np.array(table.shown_names), plot_type="bar", show=False,
            class_names=list(map(_plain, self.classes)), **_seeds(), **options,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class OneRow(_OfTable):
    """One row: `force` or `waterfall`."""

    kind: str
    number: int
    values: Floats
    base: float

    def plot(self) -> None:
        """See `Picture`."""
        table = self.table
        features = np.array([_number(value) for value in table.features[self.number]], dtype=object)
        if self.kind == "force":
            options = {"figsize": (16, 3), "text_rotation": 15} | table.given()
            shap.plots.force(
                self.base, self.values, features, table.shown_names, matplotlib=True, show=False, **options
            )
            return
        one = shap.Explanation(self.values, self.base, features, feature_names=table.shown_names)
        shap.plots.waterfall(one, show=False, **({"max_display": 10} | table.given()))


@dataclass(frozen=True, slots=True)
class Importances(Picture):
    """XGBoost's own picture of importances."""

    gains: Sequence[tuple[str, float]]

    def plot(self) -> None:
        """See `Picture`."""
        from sqlflow_runtime.ml.boosting import xgboost

        scores = {_shortened(name): gain for name, gain in reversed(self.gains) if gain > 0}
        axes = plt.figure(figsize=(8, 1.5 + 0.3 * len(scores))).gca()
        xgboost.plot_importance(
            scores, ax=axes, height=0.6, title="", xlabel="mean gain", ylabel="", grid=False, show_values=False
        )
        axes.bar_label(cast("BarContainer", axes.containers[0]), fmt="%.4g", padding=3)
        axes.margins(x=0.12)
        axes.set_xlim(0)


def draw(picture: Picture, log: Callable[[str, str], None]) -> bytes:
    """The picture as a PNG file.

    Raises:
        ValueError, TypeError, IndexError, KeyError, AssertionError: the options do not go with the library.
    """
    with _figure(log):
        picture.plot()
        figure = plt.gcf()
        figure.set_size_inches(*(min(side, _INCHES) for side in figure.get_size_inches()))
        _add_heading(figure, _plain(picture.heading))
        for resolution in _RESOLUTIONS:
            content = io.BytesIO()
            plt.savefig(content, format="png", dpi=resolution, bbox_inches="tight", metadata={"Software": None})
            if len(content.getbuffer()) <= SIZE_LIMIT:
                break
    return content.getvalue()


def _add_heading(figure: Any, heading: str) -> None:
    """Write the heading over all that the figure has, from its left side on."""
    figure.canvas.draw()
    box, size = figure.get_tightbbox(), figure.get_size_inches()
    figure.text(box.x0 / size[0], (box.y1 + 0.15) / size[1], heading, ha="left", va="bottom", fontsize=12)


@contextmanager
def _figure(log: Callable[[str, str], None]) -> Iterator[None]:
    """Give matplotlib its own defaults, whatever a user's file says, and close all figures at the end."""
    plt.close("all")
    with warnings.catch_warnings(record=True) as caught, mpl.rc_context():
        warnings.simplefilter("always")
        mpl.rcdefaults()
        mpl.use("Agg")
        try:
            yield
        finally:
            plt.close("all")
    if any(_GLYPH.match(str(one.message)) for one in caught):
        log("warning", "the picture's font lacks some characters of the names: they are shown as boxes")


def _seeds() -> dict[str, Any]:
    return {"rng": np.random.default_rng(0)}


def _shortened(name: str) -> str:
    """The name of a feature as pictures show it, without the middle if it is long: names often differ at their ends."""
    half = _NAME // 2
    return _plain(name if len(name) <= _NAME else f"{name[: half - 1]}…{name[-half:]}")


def _plain(text: str) -> str:
    r"""The text without what matplotlib reads as a formula: `$` begins one."""
    return text.replace("$", r"\$")


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.4g}"
