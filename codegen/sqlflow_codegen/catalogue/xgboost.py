"""XGBoost's estimators and their attributes, as of XGBoost 3; in the notation of `rules`.

Bare names are parameters; those with `train.` steer the training itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sqlflow_codegen.catalogue.boosting import ROLES

_OBJECTIVES = """\
reg:squarederror reg:squaredlogerror reg:logistic reg:pseudohubererror reg:absoluteerror reg:quantileerror \
reg:expectileerror reg:gamma reg:tweedie reg:linear binary:logistic binary:logitraw binary:hinge multi:softmax \
multi:softprob count:poisson survival:cox survival:aft rank:pairwise rank:ndcg rank:map"""

_SHARED_RULES = {
    "str": "device updater",
    "bool | int [0,1]": """
        silent seed_per_iteration disable_default_eval_metric refresh_leaf one_drop
        lambdarank_normalization lambdarank_score_normalization lambdarank_unbiased ndcg_exp_gain""",
    "int [-1,2147483647]": "nthread n_jobs",
    "int [0,9223372036854775807]": "seed random_state",
    "float [0,1]": "eta learning_rate rate_drop skip_drop",
    "float [0,inf)": """
        gamma min_split_loss min_child_weight max_delta_step lambda reg_lambda alpha reg_alpha
        scale_pos_weight lambdarank_bias_norm""",
    "int [0,2147483647]": "max_depth max_leaves top_k",
    "float (0,1]": "subsample colsample_bytree colsample_bylevel colsample_bynode",
    "int [2,2147483647]": "max_bin num_class",
    "int [1,2147483647]": """
        num_parallel_tree max_cat_to_onehot max_cat_threshold max_cached_hist_node
        lambdarank_num_pair_per_sample""",
    "list | str": "monotone_constraints interaction_constraints",
    "float (0,inf)": "huber_slope aft_loss_distribution_scale",
}
"""Rules that several parameters have -> the parameters."""

ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        **{name: rule for rule, names in _SHARED_RULES.items() for name in names.split()},
        "booster": "{gbtree,gblinear,dart}",
        "verbosity": "int [0,3]",
        "missing": "float",
        "enable_categorical": "bool",
        "importance_type": "{gain,weight,cover,total_gain,total_cover}",
        "sampling_method": "{uniform,gradient_based}",
        "tree_method": "{auto,exact,approx,hist}",
        "process_type": "{default,update}",
        "grow_policy": "{depthwise,lossguide}",
        "multi_strategy": "{one_output_per_tree,multi_output_tree}",
        "sample_type": "{uniform,weighted}",
        "normalize_type": "{tree,forest}",
        "feature_selector": "{cyclic,shuffle,random,greedy,thrifty}",
        "objective": "{" + ",".join(_OBJECTIVES.split()) + "}",
        "base_score": "float | list",
        "eval_metric": "str | list",
        "tweedie_variance_power": "float (1,2)",
        "quantile_alpha": "float (0,1) | list",
        "expectile_alpha": "float (0,1) | list",
        "aft_loss_distribution": "{normal,logistic,extreme}",
        "lambdarank_pair_method": "{mean,topk}",
    }
)

_ROUNDS = (
    "train.num_boost_round num_boost_round n_estimators train.early_stopping_rounds early_stopping_rounds train.epoch"
)
TRAIN_ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(_ROUNDS.split(), "int [1,2147483647]"),
        "train.batch_size": "int [-1,2147483647]",
        "train.disk_cache": "bool",
        "train.num_workers": "int [1,128]",
        "validation.select": "str",
        **dict.fromkeys(ROLES, "str"),
    }
)

ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "learning_rate": "eta",
        "min_split_loss": "gamma",
        "reg_lambda": "lambda",
        "reg_alpha": "alpha",
        "random_state": "seed",
        "n_jobs": "nthread",
        "num_boost_round": "train.num_boost_round",
        "n_estimators": "train.num_boost_round",
        "early_stopping_rounds": "train.early_stopping_rounds",
    }
)
"""The same parameter by another name: two of them in one statement contradict each other."""

FOREST_ALIASES: Mapping[str, str] = MappingProxyType({**ALIASES, "n_estimators": "num_parallel_tree"})
"""Those of random forests, whose estimators are the trees of one round."""

DEPRECATED: Mapping[str, str] = MappingProxyType(
    {
        "silent": "Use verbosity=0.",
        "train.batch_size": "Training reads all rows at once.",
        "train.epoch": "Use train.num_boost_round.",
        "train.disk_cache": "Training keeps its rows in memory.",
        "train.num_workers": "Training runs in one container; use nthread for its threads.",
    }
)
"""Accepted, because SQLFlow's programs have them, but without effect."""

_FOREST = {"eta": 1.0, "subsample": 0.8, "colsample_bynode": 0.8, "lambda": 1e-5}
_CLASSES: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "XGBClassifier": ("classifier", {"objective": "binary:logistic"}),
    "XGBRegressor": ("regressor", {"objective": "reg:squarederror"}),
    "XGBRanker": ("ranker", {"objective": "rank:pairwise"}),
    "XGBRFClassifier": ("classifier", {"objective": "multi:softprob", **_FOREST}),
    "XGBRFRegressor": ("regressor", {"objective": "reg:squarederror", **_FOREST}),
}
ESTIMATORS: Mapping[str, tuple[str, str, Mapping[str, object]]] = MappingProxyType(
    {
        **{f"xgboost.{name}": ("xgboost.Booster", "any", {"booster": name}) for name in ("gbtree", "gblinear", "dart")},
        **{f"xgboost.{name}": (f"xgboost.{name}", task, defaults) for name, (task, defaults) in _CLASSES.items()},
    }
)
"""For each estimator: its class, its task, and the parameters that it sets by itself."""
