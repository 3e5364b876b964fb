"""Statements about the model store: `SHOW TRAIN model`, `SHOW MODELS`, `DROP MODEL [IF EXISTS] model`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from sqlflow_codegen.language.ir import DropModelStatement, ShowModelsStatement, ShowTrainStatement, Statement
from sqlflow_codegen.language.lexer import Lexer
from sqlflow_codegen.language.source import ProblemError


def _show_train(lexer: Lexer, fields: Mapping[str, Any]) -> Statement:
    model = lexer.name("a model after SHOW TRAIN")
    _end(lexer, "the model", "Write SHOW TRAIN model.")
    return ShowTrainStatement(**fields, model=model)


def _show_models(lexer: Lexer, fields: Mapping[str, Any]) -> Statement:
    _end(lexer, "SHOW MODELS", "Write SHOW MODELS; a query on sqlflow_models can choose among them.")
    return ShowModelsStatement(**fields)


def _drop_model(lexer: Lexer, fields: Mapping[str, Any]) -> Statement:
    hint = "Write DROP MODEL [IF EXISTS] model, or model:3 for one version."
    if_exists = lexer.peek().keyword == "IF" and lexer.second().keyword == "EXISTS"
    if if_exists:
        lexer.next()
        lexer.next()
    model = lexer.name("a model after DROP MODEL", hint)
    _end(lexer, "the model", hint)
    return DropModelStatement(**fields, model=model, if_exists=if_exists)


def _end(lexer: Lexer, after: str, hint: str) -> None:
    extra = lexer.peek()
    if extra.kind != "end":
        raise ProblemError("syntax-error", f"unexpected {extra.shown()} after {after}", extra.start, hint)


ABOUT_MODELS: Mapping[str, Callable[[Lexer, Mapping[str, Any]], Statement]] = MappingProxyType(
    {"SHOW TRAIN": _show_train, "SHOW MODELS": _show_models, "DROP MODEL": _drop_model}
)
"""The first two words of a statement -> the function that reads the rest."""
