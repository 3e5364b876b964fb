"""Imported by the sandbox's server before its first fork: its children then find all patterns compiled already.

The patterns of the language are compiled when a dialect is first used, which takes many times longer than parsing a
small program; a child that ends after one program would pay for it each time.
"""

from __future__ import annotations

from sqlflow_codegen.language.dialects import DATABASES

from sqlflow_operator.parsing import parse

PROGRAM = """
SELECT 'a', b, 1.5e3 FROM t;
SELECT * FROM t TO TRAIN xgboost.gbtree WITH objective = "binary:logistic", train.num_boost_round = 5 LABEL y INTO m;
SELECT * FROM t TO PREDICT u.y USING m;
SELECT * FROM t TO EVALUATE m LABEL y INTO v;
"""
"""A valid program of every kind of statement."""

# Programs of other dialects are refused before their steps are planned.
for _dialect in dict.fromkeys(DATABASES.values()):
    parse(PROGRAM, _dialect)
