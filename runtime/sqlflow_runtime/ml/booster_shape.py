"""Checks that a stored booster is intact before XGBoost gets it.

XGBoost follows the numbers in its trees without a look: a child or a feature that does not exist ends the process at
the first prediction. Only what this project stores is accepted: one target, categories by their number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_PER_NODE = (
    "default_left", "left_children", "loss_changes", "parents", "right_children", "split_conditions", "split_indices",
    "split_type", "sum_hessian",
)  # fmt: skip
LEAF = -1
"""The left child of a leaf, to XGBoost and to scikit-learn."""
_NO_PARENT = 2**31 - 1
_CATEGORIES = ("categories", "categories_nodes", "categories_segments", "categories_sizes")


def check_booster(model: Mapping[str, Any], *, categories: Sequence[int], classes: int, objective: str) -> None:
    """Check that the model is intact and is the one that its metadata describes.

    Args:
        model: XGBoost's model, read from JSON.
        categories: for each column of the matrix its number of categories; 0 for a number.
        classes: classes of the label; 0 for a regression.
        objective: as the metadata has it.

    Raises:
        ValueError: it is not; says why.
        KeyError, TypeError, AttributeError: it is no model of XGBoost's at all.
    """
    learner = model["learner"]
    sizes = learner["learner_model_param"]
    groups, features = max(int(sizes["num_class"]), 1), len(categories)
    _same("features", int(sizes["num_feature"]), features)
    _same("targets", int(sizes["num_target"]), 1)
    if learner["objective"]["name"] != objective:
        raise ValueError(f"its objective is {learner['objective']['name']}")
    if classes:
        _same("classes", groups if groups > 1 else 2, classes)
    scores = str(sizes["base_score"]).strip("[]").split(",")
    if len(scores) not in (1, groups) or not all(map(np.isfinite, map(float, scores))):
        raise ValueError("its base_score is no number")
    booster = learner["gradient_booster"]
    match booster["name"]:
        case "gblinear":
            _same("weights", len(booster["model"]["weights"]), (features + 1) * groups)
        case "dart":
            _check_forest(booster["gbtree"]["model"], categories, groups)
            _same("weights of trees", len(booster["weight_drop"]), len(booster["gbtree"]["model"]["trees"]))
        case "gbtree":
            _check_forest(booster["model"], categories, groups)
        case other:
            raise ValueError(f"there is no booster {other}")


def _check_forest(forest: Mapping[str, Any], categories: Sequence[int], groups: int) -> None:
    trees = forest["trees"]
    _same("trees", int(forest["gbtree_model_param"]["num_trees"]), len(trees))
    info = _integers(forest["tree_info"], len(trees))
    _inside("a tree's class", info, 0, groups)
    steps = _integers(forest["iteration_indptr"])
    if not len(steps) or steps[0] != 0 or steps[-1] != len(trees) or (np.diff(steps) < 0).any():
        raise ValueError("its rounds do not add up to its trees")
    if "weight_drop" in forest:
        _same("weights of trees", len(forest["weight_drop"]), len(trees))
    if any(len(forest["cats"][name]) for name in forest.get("cats", ())):
        raise ValueError("it has categories of its own")
    for number, tree in enumerate(trees):
        _same("a tree", tree["id"], number)
        _check_tree(tree, categories, groups)


def _check_tree(tree: Mapping[str, Any], categories: Sequence[int], groups: int) -> None:
    sizes = tree["tree_param"]
    features = len(categories)
    nodes, width = int(sizes["num_nodes"]), int(sizes["size_leaf_vector"])
    if nodes < 1 or width not in (1, groups):
        raise ValueError("a tree has no node, or leaves of the wrong width")
    _same("features", int(sizes["num_feature"]), features)
    for name in _PER_NODE:
        _same(name, len(tree[name]), nodes)
    left, right = _integers(tree["left_children"]), _integers(tree["right_children"])
    split = _integers(tree["split_indices"])
    check_splits(left, right, split, features)
    _check_categories(tree, split, np.array(categories))
    inner = left != LEAF
    parents = _integers(tree["parents"])
    known = np.flatnonzero(inner)
    if (parents[left[inner]] != known).any() or (parents[right[inner]] != known).any():
        raise ValueError("a node's child has another parent")
    _inside("a node's parent", parents[(parents != -1) & (parents != _NO_PARENT)], 0, nodes)
    _same("weights of nodes", len(tree["base_weights"]), nodes * width)
    if width > 1:
        leaves, rest = divmod(len(tree["leaf_weights"]), width)
        _same("rest of the leaves' weights", rest, 0)
        _inside("a leaf", right[~inner], 0, leaves)


def _check_categories(tree: Mapping[str, Any], split: Any, categories: npt.NDArray[Any]) -> None:
    """Check that each split by categories is of a column that has them, and that those exist."""
    kinds = _integers(tree["split_type"])
    _inside("the kind of a split", kinds, 0, 2)
    values, nodes, starts, sizes = (_integers(tree[name]) for name in _CATEGORIES)
    if not np.array_equal(nodes, np.flatnonzero(kinds)):
        raise ValueError("its splits by categories are not those that it lists")
    _same("lists of categories", len(sizes), len(nodes))
    _inside("a category", sizes, 0, len(values) + 1)
    if not np.array_equal(starts, np.cumsum(sizes) - sizes) or int(sizes.sum()) != len(values):
        raise ValueError("its lists of categories do not add up")
    _inside("a category", values, 0, np.iinfo(np.int64).max)
    if (values >= np.repeat(categories[split[nodes]], sizes)).any():
        raise ValueError("a category does not exist")


def check_splits(left: Any, right: Any, split: Any, features: int) -> None:
    """Check that the children and features of a tree's nodes exist, and that no two nodes have the same child.

    Raises:
        ValueError: it is not so; says why.
    """
    inner = left != LEAF
    children = np.concatenate([left[inner], right[inner]])
    _inside("a node's child", children, 1, len(left))
    if len(np.unique(children)) < len(children):
        raise ValueError("two nodes of a tree have the same child")
    _inside("a feature", split[inner], 0, features)


def _integers(values: Any, count: int | None = None) -> npt.NDArray[np.int64]:
    found = np.asarray(values)
    if found.ndim != 1 or (found.size and found.dtype != np.int64):  # beyond 64 bits there is another type
        raise ValueError("it has something else where it should have whole numbers")
    if count is not None:
        _same("numbers", found.size, count)
    return found.astype(np.int64)  # of an empty list, which has another type


def _inside(what: str, values: npt.NDArray[np.int64], low: int, high: int) -> None:
    if values.size and (values.min() < low or values.max() >= high):
        raise ValueError(f"{what} does not exist")


def _same(what: str, found: int, expected: int) -> None:
    if found != expected:
        raise ValueError(f"its number of {what} is {found}, not {expected}")
