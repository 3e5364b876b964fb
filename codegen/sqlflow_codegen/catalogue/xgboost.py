"""XGBoost's estimators and their attributes, as of XGBoost 3; in the notation of `rules`.

Bare names are parameters; those with `train.` steer the training itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_OBJECTIVES = """\
reg:squarederror reg:squaredlogerror reg:logistic reg:pseudohubererror reg:absoluteerror reg:quantileerror reg:gamma \
reg:tweedie reg:linear binary:logistic binary:logitraw binary:hinge multi:softmax multi:softprob count:poisson \
survival:cox survival:aft rank:pairwise rank:ndcg rank:map"""

_POSITIVE = "float [0,inf)"
_SHARE = "float (0,1]"
_UNIT = "float [0,1]"
_FLAG = "bool | int [0,1]"

ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        # general
        "booster": "{gbtree,gblinear,dart}",
        "device": "str",
        "verbosity": "int [0,3]",
        "silent": "bool | int [0,1]",
        "nthread": "int [-1,2147483647]",
        "n_jobs": "int [-1,2147483647]",
        "seed": "int [0,9223372036854775807]",
        "random_state": "int [0,9223372036854775807]",
        "seed_per_iteration": _FLAG,
        "disable_default_eval_metric": _FLAG,
        "missing": "float",
        "enable_categorical": "bool",
        "importance_type": "{gain,weight,cover,total_gain,total_cover}",
        # trees
        "eta": _UNIT,
        "learning_rate": _UNIT,
        "gamma": _POSITIVE,
        "min_split_loss": _POSITIVE,
        "max_depth": "int [0,2147483647]",
        "min_child_weight": _POSITIVE,
        "max_delta_step": _POSITIVE,
        "subsample": _SHARE,
        "sampling_method": "{uniform,gradient_based}",
        "colsample_bytree": _SHARE,
        "colsample_bylevel": _SHARE,
        "colsample_bynode": _SHARE,
        "lambda": _POSITIVE,
        "reg_lambda": _POSITIVE,
        "alpha": _POSITIVE,
        "reg_alpha": _POSITIVE,
        "tree_method": "{auto,exact,approx,hist}",
        "scale_pos_weight": _POSITIVE,
        "updater": "str",
        "refresh_leaf": _FLAG,
        "process_type": "{default,update}",
        "grow_policy": "{depthwise,lossguide}",
        "max_leaves": "int [0,2147483647]",
        "max_bin": "int [2,2147483647]",
        "num_parallel_tree": "int [1,2147483647]",
        "monotone_constraints": "list | str",
        "interaction_constraints": "list | str",
        "multi_strategy": "{one_output_per_tree,multi_output_tree}",
        "max_cat_to_onehot": "int [1,2147483647]",
        "max_cat_threshold": "int [1,2147483647]",
        "max_cached_hist_node": "int [1,2147483647]",
        # dart
        "sample_type": "{uniform,weighted}",
        "normalize_type": "{tree,forest}",
        "rate_drop": _UNIT,
        "one_drop": _FLAG,
        "skip_drop": _UNIT,
        # linear
        "feature_selector": "{cyclic,shuffle,random,greedy,thrifty}",
        "top_k": "int [0,2147483647]",
        # learning
        "objective": "{" + ",".join(_OBJECTIVES.split()) + "}",
        "num_class": "int [2,2147483647]",
        "base_score": "float | list",
        "eval_metric": "str | list",
        "tweedie_variance_power": "float (1,2)",
        "huber_slope": "float (0,inf)",
        "quantile_alpha": "float (0,1) | list",
        "aft_loss_distribution": "{normal,logistic,extreme}",
        "aft_loss_distribution_scale": "float (0,inf)",
        "lambdarank_pair_method": "{mean,topk}",
        "lambdarank_num_pair_per_sample": "int [1,2147483647]",
        "lambdarank_normalization": _FLAG,
        "lambdarank_score_normalization": _FLAG,
        "lambdarank_unbiased": _FLAG,
        "lambdarank_bias_norm": _POSITIVE,
        "ndcg_exp_gain": _FLAG,
    }
)

TRAIN_ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        "train.num_boost_round": "int [1,2147483647]",
        "num_boost_round": "int [1,2147483647]",
        "n_estimators": "int [1,2147483647]",
        "train.early_stopping_rounds": "int [1,2147483647]",
        "early_stopping_rounds": "int [1,2147483647]",
        "train.batch_size": "int [-1,2147483647]",
        "train.epoch": "int [1,2147483647]",
        "train.disk_cache": "bool",
        "train.num_workers": "int [1,128]",
        "validation.select": "str",
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

_RANDOM_FOREST = {"eta": 1.0, "subsample": 0.8, "colsample_bynode": 0.8, "lambda": 1e-5}

ESTIMATORS: Mapping[str, tuple[str, str, Mapping[str, object]]] = MappingProxyType(
    {
        "xgboost.gbtree": ("xgboost.Booster", "any", {"booster": "gbtree"}),
        "xgboost.gblinear": ("xgboost.Booster", "any", {"booster": "gblinear"}),
        "xgboost.dart": ("xgboost.Booster", "any", {"booster": "dart"}),
        "xgboost.XGBClassifier": ("xgboost.XGBClassifier", "classifier", {"objective": "binary:logistic"}),
        "xgboost.XGBRegressor": ("xgboost.XGBRegressor", "regressor", {"objective": "reg:squarederror"}),
        "xgboost.XGBRanker": ("xgboost.XGBRanker", "ranker", {"objective": "rank:pairwise"}),
        "xgboost.XGBRFClassifier": (
            "xgboost.XGBRFClassifier",
            "classifier",
            {"objective": "multi:softprob", **_RANDOM_FOREST},
        ),
        "xgboost.XGBRFRegressor": (
            "xgboost.XGBRFRegressor",
            "regressor",
            {"objective": "reg:squarederror", **_RANDOM_FOREST},
        ),
    }
)
"""For each estimator: its class, its task, and the parameters that it sets by itself."""
