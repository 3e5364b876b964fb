"""SQLFlow's neural estimators and their attributes, in the notation of `rules`; optimizers and losses are Keras 3's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlflow_codegen.catalogue.boosting import SAMPLE_WEIGHT, WEIGHT_COLUMN, Conflict

LINEAR_TARGET = "linear_feature_columns"
DNN_TARGET = "dnn_feature_columns"
"""Targets of `COLUMN .. FOR`: the two halves of a DNNLinearCombined estimator."""

_COUNT = "int [1,2147483647]"
_FLAG = "bool"
_NUMBER = "float"
_SHARE = "float [0,1)"
_SIZES = "list"

_COMMON = {"learning_rate": "float (0,inf)", "weight_decay": "float [0,inf) | none", "clipnorm": "float (0,inf) | none",
           "clipvalue": "float (0,inf) | none", "global_clipnorm": "float (0,inf) | none"}  # fmt: skip
_BETAS = {"beta_1": _SHARE, "beta_2": _SHARE}
_EPSILON = {"epsilon": "float (0,inf)"}
OPTIMIZERS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        name: {**_COMMON, **arguments}
        for name, arguments in {
            "Adadelta": {"rho": _SHARE, **_EPSILON},
            "Adagrad": {"initial_accumulator_value": "float [0,inf)", **_EPSILON},
            "Adam": {**_BETAS, **_EPSILON, "amsgrad": _FLAG},
            "AdamW": {**_BETAS, **_EPSILON, "amsgrad": _FLAG},
            "Adamax": {**_BETAS, **_EPSILON},
            "Ftrl": {
                "learning_rate_power": "float [-inf,0]", "initial_accumulator_value": "float [0,inf)",
                "l1_regularization_strength": "float [0,inf)", "l2_regularization_strength": "float [0,inf)",
                "l2_shrinkage_regularization_strength": "float [0,inf)", "beta": "float [0,inf)",
            },
            "Lion": _BETAS,
            "Nadam": {**_BETAS, **_EPSILON},
            "RMSprop": {"rho": _SHARE, "momentum": _SHARE, **_EPSILON, "centered": _FLAG},
            "SGD": {"momentum": "float [0,1]", "nesterov": _FLAG},
        }.items()
    }
)  # fmt: skip
"""Keras's optimizers that an estimator may name, each with its arguments."""

_CLASS_LOSSES: Mapping[str, Mapping[str, str]] = {
    "sparse_categorical_crossentropy": {},
    "categorical_crossentropy": {"label_smoothing": "float [0,1]"},
    "categorical_focal_crossentropy": {"alpha": "float (0,inf)", "gamma": "float [0,inf)", "label_smoothing": _SHARE},
    "categorical_hinge": {},
}
_NUMBER_LOSSES: Mapping[str, Mapping[str, str]] = {
    "mean_squared_error": {},
    "mean_absolute_error": {},
    "mean_absolute_percentage_error": {},
    "mean_squared_logarithmic_error": {},
    "huber": {"delta": "float (0,inf)"},
    "log_cosh": {},
    "poisson": {},
}
LOSSES: Mapping[str, Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {"classifier": _CLASS_LOSSES, "regressor": _NUMBER_LOSSES}
)
"""Task of an estimator -> the losses of Keras that it may name, each with its arguments."""

_ACTIVATION = """\
{celu,elu,exponential,gelu,hard_sigmoid,hard_silu,hard_tanh,leaky_relu,linear,log_sigmoid,mish,relu,relu6,selu,sigmoid,\
silu,softplus,softsign,swish,tanh}"""

_TRAIN = {
    "train.batch_size": _COUNT, "train.epoch": _COUNT, "train.max_steps": "int [0,2147483647]",
    "train.verbose": "int [0,2]", SAMPLE_WEIGHT: "str", "train.seed": "int [0,4294967295]",
    "train.early_stopping_patience": _COUNT,
    "validation.select": "str", "validation.metrics": "str",
    "train.save_checkpoints_steps": _COUNT, "train.log_every_n_iter": _COUNT, "validation.steps": _COUNT,
    "validation.start_delay_secs": "int [0,inf)", "validation.throttle_secs": "int [0,inf)",
}  # fmt: skip
OWN_ATTRIBUTES: Mapping[str, str] = MappingProxyType(_TRAIN)
"""Attributes that steer the training of a model of the user's own; all others are its class's or function's."""

_IDLE = {
    "train.save_checkpoints_steps": "Only a training that is done stores its model.",
    "train.verbose": "Progress is recorded once a second.",
    "train.log_every_n_iter": "Progress is recorded once a second.",
    "validation.steps": "All rows of validation.select are measured.",
    "validation.start_delay_secs": "Rows are measured after each epoch.",
    "validation.throttle_secs": "Rows are measured after each epoch.",
    "model.model_dir": "INTO names the place of the model.",
    "model.config": "Set train. attributes instead.",
    "model.warm_start_from": "Write USING model.",
    "model.loss_reduction": "The loss of a batch is the mean of its rows.",
}
_IDLE_IN_CLUSTERS = {
    "train.batch_size": "Set model.pretrain_batch_size and model.train_batch_size.",
    "train.epoch": "Set model.pretrain_epochs and model.train_max_iters.",
    "train.max_steps": "Set model.train_max_iters.",
    "train.early_stopping_patience": "Set model.tol.",
    "validation.select": "Clusters have no truth to measure on.",
    "validation.metrics": "Clusters have no truth to measure on.",
}
_IDLE_RULES = dict.fromkeys(["model.model_dir", "model.config", "model.warm_start_from", "model.loss_reduction"], "str")

_OPTIMIZER = "{" + ",".join(OPTIMIZERS) + "}"
_CLASSES = {"model.n_classes": "int [2,2147483647]", "model.label_vocabulary": "list"}
_VALUES = {"model.label_dimension": _COUNT}
_DNN = {
    "model.hidden_units": _SIZES, "model.optimizer": _OPTIMIZER, "model.activation_fn": _ACTIVATION,
    "model.dropout": f"{_SHARE} | none", "model.batch_norm": _FLAG,
}  # fmt: skip
_LINEAR = {"model.optimizer": _OPTIMIZER, "model.sparse_combiner": "{sum,mean,sqrtn}"}
_COMBINED = {
    "model.dnn_hidden_units": _SIZES, "model.dnn_optimizer": _OPTIMIZER, "model.linear_optimizer": _OPTIMIZER,
    "model.dnn_activation_fn": _ACTIVATION, "model.dnn_dropout": f"{_SHARE} | none", "model.batch_norm": _FLAG,
    "model.linear_sparse_combiner": "{sum,mean,sqrtn}",
}  # fmt: skip
_CELLS = {"model.model_type": "{rnn,lstm,gru}", "model.bidirectional": _FLAG}
_STACKED = {
    "model.stack_units": _SIZES, "model.hidden_size": _COUNT, "model.n_classes": "int [2,2147483647]",
    "model.optimizer": _OPTIMIZER, "model.dropout": f"{_SHARE} | none",
}  # fmt: skip
_SERIES = {
    "model.n_in": _COUNT, "model.n_out": _COUNT, "model.n_features": _COUNT, "model.stack_units": _SIZES,
    "model.optimizer": _OPTIMIZER,
    "model.model_type": "{rnn,lstm,gru}",
}  # fmt: skip
_CLUSTER = {
    "model.n_clusters": "int [2,2147483647]", "model.kmeans_init": _COUNT, "model.run_pretrain": _FLAG,
    "model.pretrain_dims": _SIZES, "model.pretrain_activation_func": _ACTIVATION, "model.pretrain_batch_size": _COUNT,
    "model.train_batch_size": _COUNT, "model.pretrain_epochs": "int [0,2147483647]",
    "model.pretrain_initializer": "{glorot_uniform,glorot_normal,he_uniform,he_normal,random_uniform,random_normal}",
    "model.pretrain_lr": "float (0,inf)", "model.train_lr": "float (0,inf)",
    "model.train_max_iters": "int [0,2147483647]", "model.update_interval": _COUNT, "model.tol": "float [0,inf)",
    "model.loss": "{kld}",
}  # fmt: skip
_BOOSTED = {
    "model.n_trees": _COUNT, "model.max_depth": _COUNT, "model.learning_rate": "float (0,1]",
    "model.l1_regularization": "float [0,inf)", "model.l2_regularization": "float [0,inf)",
    "model.tree_complexity": "float [0,inf)", "model.min_node_weight": "float [0,inf)",
    "model.n_batches_per_layer": _COUNT, "model.center_bias": _FLAG, "model.pruning_mode": "{none,pre,post}",
    "model.quantile_sketch_epsilon": "float (0,1)", "model.train_in_memory": _FLAG, WEIGHT_COLUMN: "str",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Neural:
    """A neural estimator of SQLFlow's.

    Attributes:
        task: `classifier`, `regressor` or `cluster`.
        attributes: its own ones, with their rules.
        optimizers: its attributes that name an optimizer -> the optimizer where the statement names none.
        required: attributes that a statement must give.
    """

    task: str
    attributes: Mapping[str, str]
    optimizers: Mapping[str, str]
    required: tuple[str, ...] = ()


_DEEP = {"model.optimizer": "Adagrad"}
_FLAT = {"model.optimizer": "Ftrl"}
_BOTH = {"model.dnn_optimizer": "Adagrad", "model.linear_optimizer": "Ftrl"}
_RECURRENT = {"model.optimizer": "Adam"}
_WIDE = ("model.dnn_hidden_units",)
NEURAL: Mapping[str, Neural] = MappingProxyType(
    {
        "DNNClassifier": Neural("classifier", {**_DNN, **_CLASSES}, _DEEP, ("model.hidden_units",)),
        "DNNRegressor": Neural("regressor", {**_DNN, **_VALUES}, _DEEP, ("model.hidden_units",)),
        "LinearClassifier": Neural("classifier", {**_LINEAR, **_CLASSES}, _FLAT),
        "LinearRegressor": Neural("regressor", {**_LINEAR, **_VALUES}, _FLAT),
        "DNNLinearCombinedClassifier": Neural("classifier", {**_COMBINED, **_CLASSES}, _BOTH, _WIDE),
        "DNNLinearCombinedRegressor": Neural("regressor", {**_COMBINED, **_VALUES}, _BOTH, _WIDE),
        "sqlflow_models.StackedRNNClassifier": Neural("classifier", {**_STACKED, **_CELLS}, _RECURRENT),
        "sqlflow_models.StackedBiLSTMClassifier": Neural("classifier", _STACKED, _RECURRENT),
        "sqlflow_models.RNNBasedTimeSeriesModel": Neural("regressor", _SERIES, _RECURRENT, ("model.n_in",)),
        "sqlflow_models.DeepEmbeddingClusterModel": Neural("cluster", _CLUSTER, {}),
    }
)
"""Each neural estimator by its canonical name."""


def neural_attributes(name: str) -> Mapping[str, str]:
    """All attributes of that estimator, with their rules."""
    neural = NEURAL[name]
    task, own = neural.task, neural.attributes
    shared = {f"optimizer.{one}": rule for arguments in OPTIMIZERS.values() for one, rule in arguments.items()}
    shared = shared if neural.optimizers else {}
    if task in LOSSES:
        shared["model.loss"] = "{" + ",".join(LOSSES[task]) + "}"
        shared |= {f"loss.{one}": rule for arguments in LOSSES[task].values() for one, rule in arguments.items()}
        shared[WEIGHT_COLUMN] = "str"
    idle = {key: rule for key, rule in _IDLE_RULES.items() if not name.startswith("sqlflow_models.")}
    steering = {key: rule for key, rule in _TRAIN.items() if task in LOSSES or key != SAMPLE_WEIGHT}
    return MappingProxyType({**shared, **idle, **steering, **own})


def neural_idle(name: str) -> Mapping[str, str]:
    """Attributes that SQLFlow's programs have, but that do nothing with that estimator -> the alternative."""
    idle = _IDLE if NEURAL[name].task in LOSSES else {**_IDLE, **_IDLE_IN_CLUSTERS}
    return MappingProxyType({one: hint for one, hint in idle.items() if one in neural_attributes(name)})


NEURAL_ALIASES: Mapping[str, str] = MappingProxyType({WEIGHT_COLUMN: SAMPLE_WEIGHT})

BOOSTED_ATTRIBUTES: Mapping[str, str] = MappingProxyType({**_BOOSTED, **_IDLE_RULES})
BOOSTED_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "model.n_trees": "train.num_boost_round",
        "model.max_depth": "max_depth",
        "model.learning_rate": "eta",
        "model.l1_regularization": "alpha",
        "model.l2_regularization": "lambda",
        "model.tree_complexity": "gamma",
        "model.min_node_weight": "min_child_weight",
        "model.n_classes": "num_class",
        WEIGHT_COLUMN: SAMPLE_WEIGHT,
    }
)
BOOSTED_IDLE: Mapping[str, str] = MappingProxyType(
    {
        **{name: hint for name, hint in _IDLE.items() if name in _IDLE_RULES},
        "model.n_batches_per_layer": "Each layer of a tree sees all rows.",
        "model.center_bias": "XGBoost begins at the label's mean by itself.",
        "model.pruning_mode": "XGBoost prunes after growing: set model.tree_complexity.",
        "model.quantile_sketch_epsilon": "Set max_bin.",
        "model.train_in_memory": "Set nothing: rows are read once.",
    }
)
BOOSTED_DEFAULTS: Mapping[str, object] = MappingProxyType(
    {
        "booster": "gbtree",
        "train.num_boost_round": 100,
        "max_depth": 6,
        "eta": 0.1,
        "lambda": 0.0,
        "min_child_weight": 0.0,
    }
)
"""TensorFlow's defaults of BoostedTreesClassifier and BoostedTreesRegressor."""


def neural_conflicts(name: str, parameters: Mapping[str, object]) -> Iterator[Conflict]:
    """Each attribute of a neural estimator that is missing, or that cannot work beside the others."""
    neural = NEURAL[name]
    task, own = neural.task, neural.attributes
    for one in neural.required:
        if one not in parameters:
            example = "[10, 20]" if own[one] == _SIZES else "3"
            yield Conflict(one, "is missing", f"Write {one}={example}.")
    yield from _sizes(own, parameters)
    yield from _arguments("optimizer", tuple(optimizers(name, parameters).values()), OPTIMIZERS, parameters)
    if task in LOSSES:
        losses = LOSSES[task]
        chosen = str(parameters.get("model.loss", next(iter(losses))))
        yield from _arguments("loss", (chosen,), losses, parameters)
    if "train.early_stopping_patience" in parameters and task in LOSSES and not parameters.get("validation.select"):
        hint = "Add validation.select='SELECT ..', or leave it out."
        yield Conflict("train.early_stopping_patience", "needs rows to measure on", hint)
    if parameters.get("optimizer.nesterov") and not parameters.get("optimizer.momentum"):
        yield Conflict("optimizer.nesterov", "needs optimizer.momentum", "Add optimizer.momentum=0.9.")
    vocabulary, count = parameters.get("model.label_vocabulary"), parameters.get("model.n_classes")
    if isinstance(vocabulary, list) and len(set(map(str, vocabulary))) != (count or max(2, len(vocabulary))):
        expected = f"{count} different values, as model.n_classes says" if count else "two different values at least"
        yield Conflict("model.label_vocabulary", f"must list {expected}", "List each class once.")


def optimizers(name: str, parameters: Mapping[str, object]) -> dict[str, str]:
    """The optimizer of each attribute that names one, as the statement or the estimator chooses it."""
    return {one: str(parameters.get(one, default)) for one, default in NEURAL[name].optimizers.items()}


def _sizes(own: Mapping[str, str], parameters: Mapping[str, object]) -> Iterator[Conflict]:
    for name, rule in own.items():
        value = parameters.get(name)
        if rule != _SIZES or name == "model.label_vocabulary" or not isinstance(value, list):
            continue
        whole = all(isinstance(one, int) and not isinstance(one, bool) and 1 <= one <= 1_000_000 for one in value)
        if not value or not whole:
            yield Conflict(
                name, "must list sizes of layers, whole numbers from 1 to 1000000", f"Write {name}=[10, 20]."
            )


def _arguments(
    kind: str, chosen: tuple[str, ...], known: Mapping[str, Mapping[str, str]], parameters: Mapping[str, object]
) -> Iterator[Conflict]:
    for name in parameters:
        prefix, _, argument = name.partition(".")
        if prefix != kind or any(argument in known.get(one, ()) for one in chosen):
            continue
        takes = sorted({f"{kind}.{one}" for each in chosen for one in known.get(each, ())})
        hint = f"{' and '.join(chosen)} takes {', '.join(takes)}." if takes else f"{' and '.join(chosen)} takes none."
        yield Conflict(name, f"is no argument of {' or '.join(chosen)}", hint)
