"""Training and measuring as people write it by hand: the baselines of `bench_data.py`. Stands alone.

    python by_hand.py train table|spool|pandas URL
    python by_hand.py evaluate batches URL

`table` holds the whole result, `spool` keeps it on disk and lets XGBoost read it batch by batch; both read by ADBC.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

SELECT = "SELECT * FROM t"
ROUNDS = 20
PARAMETERS = {"objective": "binary:logistic", "seed": 0}
MODEL = Path(tempfile.gettempdir()) / "sqlflow-bench-model.json"


def by_table(url: str) -> Any:
    import adbc_driver_postgresql.dbapi
    import xgboost

    with adbc_driver_postgresql.dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(SELECT)
        table = cursor.fetch_arrow_table()
    return xgboost.QuantileDMatrix(table.drop_columns(["y"]), label=table.column("y").to_numpy())


def by_spool(url: str) -> Any:
    import adbc_driver_postgresql.dbapi
    import pyarrow as pa
    import xgboost

    class Batches(xgboost.DataIter):
        def __init__(self, path: str) -> None:
            super().__init__()
            self.file = pa.ipc.open_file(pa.memory_map(path))
            self.at = 0

        def reset(self) -> None:
            self.at = 0

        def next(self, input_data: Callable[..., Any]) -> bool:
            if self.at == self.file.num_record_batches:
                return False
            batch = self.file.get_batch(self.at)
            label = batch.column("y").to_numpy()
            input_data(data=pa.Table.from_batches([batch.drop_columns(["y"])]), label=label)
            self.at += 1
            return True

    with tempfile.NamedTemporaryFile() as file:
        with adbc_driver_postgresql.dbapi.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute(SELECT)
            reader = cursor.fetch_record_batch()
            with pa.ipc.new_file(file.name, reader.schema) as writer:
                for batch in reader:
                    writer.write_batch(batch)
        return xgboost.QuantileDMatrix(Batches(file.name))


def by_pandas(url: str) -> Any:
    import warnings

    import pandas
    import psycopg
    import xgboost

    warnings.simplefilter("ignore")  # of SQLAlchemy, which pandas would like better
    with psycopg.connect(url) as connection:
        frame = pandas.read_sql(SELECT, connection)
    return xgboost.QuantileDMatrix(frame.drop(columns="y"), label=frame["y"])


def train(matrix: Any) -> None:
    import xgboost

    booster = xgboost.train(PARAMETERS, matrix, ROUNDS, evals=[(matrix, "train")], verbose_eval=False)
    booster.save_model(MODEL)


def evaluate(url: str) -> None:
    import adbc_driver_postgresql.dbapi
    import numpy as np
    import pyarrow as pa
    import xgboost

    booster = xgboost.Booster(model_file=MODEL)
    truth, found = [], []
    with adbc_driver_postgresql.dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(SELECT)
        for batch in cursor.fetch_record_batch():
            truth.append(batch.column("y").to_numpy())
            rows = pa.Table.from_batches([batch.drop_columns(["y"])])
            found.append(booster.predict(xgboost.DMatrix(rows)))
    label, likely = np.concatenate(truth), np.clip(np.concatenate(found).astype(np.float64), 1e-15, 1 - 1e-15)
    loss = -np.mean(np.where(label == 1, np.log(likely), np.log(1 - likely)))
    print(f"loss {loss:.6f} accuracy_score {np.mean((likely > 0.5) == label):.6f}")


if __name__ == "__main__":
    what, way, url = sys.argv[1:]
    if what == "evaluate":
        evaluate(url)
    else:
        train({"table": by_table, "spool": by_spool, "pandas": by_pandas}[way](url))
