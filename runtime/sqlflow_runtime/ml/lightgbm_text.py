"""Checks that a stored model of LightGBM is intact before LightGBM gets it.

LightGBM follows the numbers in its trees without a look: a child, a leaf or a category that does not exist reads
memory that is not its own. So the text is read here, and LightGBM gets another one, made of what was checked: what
this module does not know cannot reach it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|-?(inf|nan)")
_WHOLE = re.compile(r"-?\d{1,19}")
_OBJECTIVE = re.compile(r"[a-z][a-z0-9_]*( [a-z][a-z0-9_]*(:[0-9.e+-]+)?)*")
_HEADER = ("version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective")
_LEAVES_LIMIT = 1 << 20
_CATEGORICAL = 1
_DECISIONS = 16
"""Kinds of a node: by categories or not, where missing values go, what counts as missing."""
_WORD = 1 << 32

Whole = npt.NDArray[np.int64]


def checked_text(text: str, *, features: int, classes: int, objective: str) -> str:
    """The model's text, made anew of its parts, all of which are sound.

    Args:
        text: as LightGBM wrote it.
        features: columns of the matrix.
        classes: classes of the label; 0 for a regression.
        objective: as the metadata has it.

    Raises:
        ValueError: it is damaged, or is not the model that the metadata describes; says why.
        KeyError: it lacks a part; names it.
    """
    blocks = _blocks(text)
    header = next(blocks, {})
    _check_header(header, features, classes, objective)
    trees = [_checked_tree(tree, number, features) for number, tree in enumerate(blocks)]
    per_round = int(header["num_tree_per_iteration"])
    if len(trees) % per_round:
        raise ValueError(f"it has {len(trees)} trees, and {per_round} in each round")
    linear = any("is_linear=1" in tree for tree in trees)
    names = " ".join(f"c{number}" for number in range(features))
    parts = ["tree", *(f"{name}={header[name]}" for name in _HEADER)]
    parts += ["average_output"] if "average_output" in header else []
    parts += [f"feature_names={names}", f"feature_infos={' '.join(['none'] * features)}", ""]
    ends = ["end of trees", "", "parameters:", f"[linear_tree: {int(linear)}]", "end of parameters"]
    return "\n".join([*parts, *trees, *ends, "", "pandas_categorical:null", ""])


def _blocks(text: str) -> Iterator[dict[str, str]]:
    """The header and each tree: their lines `name=value` by name."""
    trees, end, _ = text.partition("\nend of trees\n")
    if not end:
        raise ValueError("its end is missing")
    for number, block in enumerate(re.split(r"\n\n+Tree=", "\n\n" + trees.strip("\n"))):
        lines = block.strip("\n").split("\n")
        first = lines.pop(0)
        if first != ("tree" if number == 0 else str(number - 1)):
            raise ValueError(f"it has {first[:40]!r} where tree {number - 1} should be")
        found: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition("=")
            if name in found:
                raise ValueError(f"it has {name[:40]!r} twice")
            found[name] = value
        yield found


def _check_header(header: Mapping[str, str], features: int, classes: int, objective: str) -> None:
    if header["version"] != "v4":
        raise ValueError(f"its layout is {header['version'][:40]!r}")
    if header["label_index"] != "0" or header.get("average_output"):
        raise ValueError("its header is not as it should be")
    _same("features", _number(header["max_feature_idx"]) + 1, features)
    if not _OBJECTIVE.fullmatch(header["objective"]) or header["objective"].split()[0] != objective:
        raise ValueError(f"its objective is {header['objective'][:40]!r}")
    outputs = classes if objective in ("multiclass", "multiclassova") else 1
    for name in ("num_class", "num_tree_per_iteration"):
        _same("classes", _number(header[name]), outputs)
    said = dict(part.partition(":")[::2] for part in header["objective"].split()[1:])
    if "num_class" in said or outputs > 1:
        _same("classes", _number(said.get("num_class", "")), outputs)


@dataclass(frozen=True, slots=True)
class _Tree:
    """The lines of one tree, read one by one and kept as they are."""

    lines: Mapping[str, str]
    kept: list[str]

    def whole(self, name: str, count: int) -> Whole:
        """A line of so many whole numbers."""
        words = self._words(name, count, _WHOLE)
        found = np.array([int(word) for word in words], dtype=object)
        if count and (found.min() < -(1 << 62) or found.max() >= 1 << 62):
            raise ValueError(f"its {name} is beyond 64 bits")
        return found.astype(np.int64)

    def numbers(self, name: str, count: int) -> None:
        """A line of so many numbers."""
        self._words(name, count, _NUMBER)

    def _words(self, name: str, count: int, form: re.Pattern[str]) -> Sequence[str]:
        text = self.lines[name]
        words = text.split()
        _same(name, len(words), count)
        if not all(map(form.fullmatch, words)):
            raise ValueError(f"its {name} has something else where it should have numbers")
        self.kept.append(f"{name}={text}")
        return words


def _checked_tree(lines: Mapping[str, str], number: int, features: int) -> str:
    tree = _Tree(lines, [f"Tree={number}"])
    (leaves,) = tree.whole("num_leaves", 1).tolist()
    (categorical,) = tree.whole("num_cat", 1).tolist()
    if not 1 <= leaves <= _LEAVES_LIMIT or not 0 <= categorical < max(leaves, 1):
        raise ValueError("a tree has no leaf, or more nodes by categories than nodes")
    _check_nodes(tree, leaves, categorical, features)
    (linear,) = tree.whole("is_linear", 1).tolist()
    if linear not in (0, 1):
        raise ValueError("its is_linear is neither 0 nor 1")
    if linear:
        _check_linear(tree, leaves, features)
    tree.numbers("shrinkage", 1)
    return "\n".join([*tree.kept, "", ""])


def _check_nodes(tree: _Tree, leaves: int, categorical: int, features: int) -> None:
    nodes = leaves - 1
    _inside("a feature", tree.whole("split_feature", nodes), 0, features)
    tree.numbers("split_gain", nodes)
    decision = tree.whole("decision_type", nodes)
    _inside("a kind of node", decision, 0, _DECISIONS)
    by_category = (decision & _CATEGORICAL) > 0
    _same("nodes by categories", int(by_category.sum()), categorical)
    tree.numbers("threshold", nodes)
    _check_children(tree.whole("left_child", nodes), tree.whole("right_child", nodes), leaves)
    for name, count in (("leaf_value", leaves), ("internal_value", nodes)):
        tree.numbers(name, count)
    for name, count in (("leaf_weight", leaves), ("leaf_count", leaves), ("internal_weight", nodes)):
        if leaves > 1 or tree.lines.get(name, "").strip():
            tree.numbers(name, count)
    tree.numbers("internal_count", nodes)
    if categorical:
        _check_categories(tree, categorical, by_category)


def _check_children(left: Whole, right: Whole, leaves: int) -> None:
    """Each node but the root, and each leaf, is the child of one node, which comes before it."""
    nodes = np.arange(leaves - 1)
    for children in (left, right):
        inner = children >= 0
        if (children[inner] <= nodes[inner]).any():
            raise ValueError("a node's child comes before it")
    children = np.concatenate([left, right])
    expected = np.concatenate([np.arange(-leaves, 0), np.arange(1, leaves - 1)]) if leaves > 1 else children
    if not np.array_equal(np.sort(children), expected):
        raise ValueError("a node's child does not exist, or is that of two nodes")


def _check_categories(tree: _Tree, count: int, by_category: npt.NDArray[np.bool_]) -> None:
    starts = tree.whole("cat_boundaries", count + 1)
    if starts[0] != 0 or (np.diff(starts) < 1).any():
        raise ValueError("its categories do not add up")
    _inside("a set of categories", tree.whole("cat_threshold", int(starts[-1])), 0, _WORD)
    thresholds = np.array(tree.lines["threshold"].split())[by_category]
    if not np.array_equal(np.sort([_number(one) for one in thresholds]), np.arange(count)):
        raise ValueError("a node's set of categories does not exist")


def _check_linear(tree: _Tree, leaves: int, features: int) -> None:
    tree.numbers("leaf_const", leaves)
    counts = tree.whole("num_features", leaves)
    _inside("a number of features", counts, 0, features + 1)
    _inside("a feature", tree.whole("leaf_features", int(counts.sum())), 0, features)
    tree.numbers("leaf_coeff", int(counts.sum()))


def _number(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"it has {text[:40]!r} where it should have a whole number")
    return int(text)


def _inside(what: str, values: Whole, low: int, high: int) -> None:
    if values.size and (values.min() < low or values.max() >= high):
        raise ValueError(f"{what} does not exist")


def _same(what: str, found: int, expected: int) -> None:
    if found != expected:
        raise ValueError(f"its number of {what} is {found}, not {expected}")
