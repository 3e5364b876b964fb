"""The attributes of EXPLAIN's pictures are parameters of the installed shap; samples of rows."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import shap
from scipy.sparse import csr_matrix
from sqlflow_codegen.catalogue.explainers import PLOTS
from sqlflow_runtime.ml.row_sample import RowSample

OURS = {"decision": {"max_display"}, "force": {"title"}, "waterfall": {"title"}}
"""Attributes that shap's function does not have: made of others, or drawn by us."""
FUNCTIONS = {"decision": shap.plots.decision, "force": shap.plots.force, "waterfall": shap.plots.waterfall}
_NAMES = """
    shap_values features feature_names plot_type show rng ax class_names class_inds base_value out_names matplotlib
    feature_display_range highlight auto_size_plot return_objects ignore_warnings new_base_value legend_labels
    ordering_keys ordering_keys_time_format cmap color_bar_label_size color_bar_tick_size axhline_lw"""
NOT_OF_USERS = frozenset(_NAMES.split())
"""Parameters that a statement does not give: rows and names, other outputs, objects of Python."""


@pytest.mark.parametrize("kind", PLOTS)
def test_attributes_are_those_of_shap(kind: str) -> None:
    parameters = set(inspect.signature(FUNCTIONS.get(kind, shap.summary_plot)).parameters)
    assert set(PLOTS[kind]) - OURS.get(kind, set()) <= parameters
    assert parameters - set(PLOTS[kind]) <= NOT_OF_USERS, "a new parameter of shap: an attribute, or not of users"


@pytest.mark.parametrize("kind", [np.array, csr_matrix])
def test_samples_of_rows(kind: type) -> None:
    batches = [kind(np.arange(start, start + 40, dtype=float).reshape(20, 2)) for start in range(0, 400, 40)]

    def sampled(limit: int, *, first: bool) -> np.ndarray:
        sample = RowSample(limit, first=first)
        for batch in batches:
            sample.add(batch)
        assert sample.count == 200
        rows = sample.rows()
        return rows if isinstance(rows, np.ndarray) else rows.toarray()

    assert sampled(3, first=True).tolist() == [[0, 1], [2, 3], [4, 5]]
    chosen = sampled(50, first=False)
    assert len({tuple(row) for row in chosen.tolist()}) == 50
    assert np.array_equal(chosen, sampled(50, first=False))
    assert 150 < chosen.mean() < 250, "from all of it, not from its beginning"
    assert len(sampled(1000, first=False)) == 200


def test_a_sample_of_no_rows() -> None:
    assert RowSample(5).rows() is None
