"""The order of statements about the model store."""

from __future__ import annotations

from tests.unit.graph.helpers import LINEAGE, graph, pairs

TRAIN = "SELECT a, b FROM t TO TRAIN xgboost.gbtree LABEL b INTO {}"


def order(text: str) -> list[tuple[int, int]]:
    return pairs(graph(text, ordering=LINEAGE))


def test_a_version_is_part_of_its_model() -> None:
    predict = "SELECT a FROM t TO PREDICT {}.b USING m:1"
    assert order(f"{TRAIN.format('m')}; {predict.format('p')}; {TRAIN.format('n')}") == [(1, 2)]


def test_drop_model_writes_the_model() -> None:
    assert order(f"DROP MODEL IF EXISTS m:2; {TRAIN.format('M')}; {TRAIN.format('n')}") == [(1, 2)]


def test_show_models_reads_all_of_them() -> None:
    text = f"{TRAIN.format('m')}; {TRAIN.format('n')}; SHOW MODELS; DROP MODEL m"
    assert order(text) == [(1, 3), (2, 3), (3, 4)]
