"""Features: the columns of a SELECT as one matrix of numbers.

A feature reads one or more selected columns and fills one or more columns of the matrix. `column_clause` makes
features of COLUMN clauses and of the data; they are stored with the model.
"""

from sqlflow_runtime.ml.features.category import CategoryHash, CategoryId, Cross, PlainKey, Vocabulary, category_text
from sqlflow_runtime.ml.features.composed import Embedding, Indicator, SequenceIds
from sqlflow_runtime.ml.features.feature import Block, Category, Feature
from sqlflow_runtime.ml.features.findings import Findings
from sqlflow_runtime.ml.features.matrix import (
    Slice,
    category_sizes,
    is_sparse,
    layout,
    matrix_columns,
    matrix_names,
    matrix_width,
)
from sqlflow_runtime.ml.features.numeric import Bucket, Dense, Numeric
from sqlflow_runtime.ml.features.sparse import Sparse
from sqlflow_runtime.ml.features.stored import dump_feature, load_feature

__all__ = [
    "Block",
    "Bucket",
    "Category",
    "CategoryHash",
    "CategoryId",
    "Cross",
    "Dense",
    "Embedding",
    "Feature",
    "Findings",
    "Indicator",
    "Numeric",
    "PlainKey",
    "SequenceIds",
    "Slice",
    "Sparse",
    "Vocabulary",
    "category_sizes",
    "category_text",
    "dump_feature",
    "is_sparse",
    "layout",
    "load_feature",
    "matrix_columns",
    "matrix_names",
    "matrix_width",
]
