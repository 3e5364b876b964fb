"""LightGBM's estimators and their attributes, as of LightGBM 4; in the notation of `rules`.

All of the library's parameters that matter where rows come from a SELECT and one process learns: those of files, of its
command line, of GPUs and of several machines are left out. A test compares the names with the library's own list.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sqlflow_codegen.catalogue.boosting import GROUP, ROUNDS, SAMPLE_WEIGHT, STOP_AFTER

ROLE_RULES: Mapping[str, str] = MappingProxyType({SAMPLE_WEIGHT: "str", GROUP: "str"})

OBJECTIVES: Mapping[str, str] = MappingProxyType(
    {
        "regression": "regression_l2 l2 mean_squared_error mse l2_root root_mean_squared_error rmse",
        "regression_l1": "l1 mean_absolute_error mae",
        "huber": "",
        "fair": "",
        "poisson": "",
        "quantile": "",
        "mape": "mean_absolute_percentage_error",
        "gamma": "",
        "tweedie": "",
        "binary": "",
        "multiclass": "softmax",
        "multiclassova": "multiclass_ova ova ovr",
        "cross_entropy": "xentropy",
        "cross_entropy_lambda": "xentlambda",
        "lambdarank": "",
        "rank_xendcg": "xendcg xe_ndcg xe_ndcg_mart xendcg_mart",
    }
)
"""Objective -> its other names."""

CANONICAL_OBJECTIVES: Mapping[str, str] = MappingProxyType(
    {alias: name for name, aliases in OBJECTIVES.items() for alias in (name, *aliases.split())}
)
RANKING = ("lambdarank", "rank_xendcg")

METRICS: Mapping[str, str] = MappingProxyType(
    {
        "l1": "mean_absolute_error mae regression_l1",
        "l2": "mean_squared_error mse regression_l2 regression",
        "rmse": "root_mean_squared_error l2_root",
        "r2": "",
        "quantile": "",
        "mape": "mean_absolute_percentage_error",
        "huber": "",
        "fair": "",
        "poisson": "",
        "gamma": "",
        "gamma_deviance": "",
        "tweedie": "",
        "ndcg": "lambdarank rank_xendcg xendcg xe_ndcg xe_ndcg_mart xendcg_mart",
        "map": "mean_average_precision",
        "auc": "",
        "average_precision": "",
        "binary_logloss": "binary",
        "binary_error": "",
        "auc_mu": "",
        "multi_logloss": "multiclass softmax multiclassova multiclass_ova ova ovr",
        "multi_error": "",
        "cross_entropy": "xentropy",
        "cross_entropy_lambda": "xentlambda",
        "kullback_leibler": "kldiv",
    }
)
"""Metric -> its other names."""

METRIC_NAMES = tuple(one for name, aliases in METRICS.items() for one in (name, *aliases.split()))

_SHARED_RULES = {
    "bool": """
        bagging_by_query boost_from_average deterministic enable_bundle extra_trees feature_pre_filter
        first_metric_only force_col_wise force_row_wise is_enable_sparse is_unbalance lambdarank_norm linear_tree
        quant_train_renew_leaf reg_sqrt stochastic_rounding uniform_drop use_missing use_quantized_grad
        xgboost_dart_mode zero_as_missing""",
    "int [0,2147483647]": "min_data_in_leaf bagging_freq",
    "int [1,2147483647]": """
        bin_construct_sample_cnt lambdarank_truncation_level max_cat_threshold max_cat_to_onehot min_data_in_bin
        min_data_per_group multi_error_top_k top_k""",
    "int [-2147483648,2147483647]": """
        bagging_seed data_random_seed drop_seed extra_seed feature_fraction_seed objective_seed seed""",
    "int [-1,2147483647]": "max_depth max_drop",
    "float [0,inf)": """
        cat_l2 cat_smooth cegb_penalty_split cegb_tradeoff early_stopping_min_delta lambda_l1
        lambda_l2 lambdarank_position_bias_regularization linear_lambda min_gain_to_split min_sum_hessian_in_leaf
        monotone_penalty path_smooth""",
    "float (0,inf)": "fair_c learning_rate poisson_max_delta_step scale_pos_weight sigmoid",
    "float (0,1]": """
        bagging_fraction feature_fraction feature_fraction_bynode neg_bagging_fraction pos_bagging_fraction""",
    "float [0,1]": "drop_rate other_rate skip_drop top_rate",
    "list": "auc_mu_weights cegb_penalty_feature_coupled cegb_penalty_feature_lazy feature_contri label_gain",
    "list | str": "interaction_constraints monotone_constraints",
}
"""Rules that several parameters have -> the parameters."""

_NAMES_OF: Mapping[str, str] = MappingProxyType(
    {
        ROUNDS: """
            num_iterations num_iteration n_iter num_tree num_trees num_round num_rounds nrounds num_boost_round
            n_estimators max_iter""",
        STOP_AFTER: "early_stopping_round early_stopping_rounds early_stopping n_iter_no_change",
        "auc_mu_weights": "",
        "bagging_fraction": "sub_row subsample bagging",
        "bagging_freq": "subsample_freq",
        "bagging_seed": "bagging_fraction_seed",
        "bin_construct_sample_cnt": "subsample_for_bin",
        "boosting": "boosting_type boost",
        "data_random_seed": "data_seed",
        "device_type": "device",
        "drop_rate": "rate_drop",
        "enable_bundle": "is_enable_bundle bundle",
        "eval_at": "ndcg_eval_at ndcg_at map_eval_at map_at",
        "extra_trees": "extra_tree",
        "feature_contri": "feature_contrib fc fp feature_penalty",
        "feature_fraction": "sub_feature colsample_bytree",
        "feature_fraction_bynode": "sub_feature_bynode colsample_bynode",
        "histogram_pool_size": "hist_pool_size",
        "is_enable_sparse": "is_sparse enable_sparse sparse",
        "is_unbalance": "unbalance unbalanced_sets",
        "lambda_l1": "reg_alpha l1_regularization",
        "lambda_l2": "reg_lambda lambda l2_regularization",
        "learning_rate": "shrinkage_rate eta",
        "linear_tree": "linear_trees",
        "max_bin": "max_bins",
        "max_delta_step": "max_tree_output max_leaf_output",
        "metric": "metrics metric_types",
        "min_data_in_leaf": "min_data_per_leaf min_data min_child_samples min_samples_leaf",
        "min_gain_to_split": "min_split_gain",
        "min_sum_hessian_in_leaf": "min_sum_hessian_per_leaf min_sum_hessian min_hessian min_child_weight",
        "monotone_constraints": "mc monotone_constraint monotonic_cst",
        "monotone_constraints_method": "monotone_constraining_method mc_method",
        "monotone_penalty": "monotone_splits_penalty ms_penalty mc_penalty",
        "neg_bagging_fraction": "neg_sub_row neg_subsample neg_bagging",
        "num_class": "num_classes",
        "num_leaves": "num_leaf max_leaves max_leaf max_leaf_nodes",
        "num_threads": "num_thread nthread nthreads n_jobs",
        "objective": "objective_type app application loss",
        "pos_bagging_fraction": "pos_sub_row pos_subsample pos_bagging",
        "seed": "random_seed random_state",
        "top_k": "topk",
        "tree_learner": "tree tree_type tree_learner_type",
        "verbosity": "verbose",
    }
)
"""Parameter -> its other names."""

_RULES: Mapping[str, str] = MappingProxyType(
    {
        **{name: rule for rule, names in _SHARED_RULES.items() for name in names.split()},
        ROUNDS: "int [1,2147483647]",
        STOP_AFTER: "int [1,2147483647]",
        "alpha": "float (0,inf)",
        "boosting": "{gbdt,rf,dart}",
        "data_sample_strategy": "{bagging,goss}",
        "device_type": "{cpu}",
        "eval_at": "int [1,2147483647] | list",
        "histogram_pool_size": "float",
        "max_bin": "int [2,2147483647]",
        "max_delta_step": "float",
        "metric": "str | list",
        "monotone_constraints_method": "{basic,intermediate,advanced}",
        "num_class": "int [2,2147483647]",
        "num_grad_quant_bins": "int [2,127]",
        "num_leaves": "int [2,131072]",
        "num_threads": "int [-1,2147483647]",
        "objective": "{" + ",".join(CANONICAL_OBJECTIVES) + "}",
        "tree_learner": "{serial}",
        "tweedie_variance_power": "float [1,2)",
        "verbosity": "int [-1,3]",
        "validation.select": "str",
        **ROLE_RULES,
    }
)

ALIASES: Mapping[str, str] = MappingProxyType(
    {alias: name for name, aliases in _NAMES_OF.items() for alias in aliases.split()}
)
"""The same parameter by another name: two of them in one statement contradict each other."""

ATTRIBUTES: Mapping[str, str] = MappingProxyType({**_RULES, **{alias: _RULES[name] for alias, name in ALIASES.items()}})

_LEFT_OUT = """
    config task data valid num_machines local_listen_port time_out machine_list_filename machines gpu_platform_id
    gpu_device_id gpu_device_id_list gpu_use_dp num_gpu pre_partition two_round header label_column weight_column
    group_column ignore_column categorical_feature forcedbins_filename forcedsplits_filename save_binary
    precise_float_parser parser_config_file start_iteration_predict num_iteration_predict predict_raw_score
    predict_leaf_index predict_contrib predict_disable_shape_check pred_early_stop pred_early_stop_freq
    pred_early_stop_margin output_result convert_model_language convert_model input_model output_model
    saved_feature_importance_type snapshot_freq metric_freq is_provide_training_metric refit_decay_rate
    max_bin_by_feature"""
NOT_TAKEN = frozenset(_LEFT_OUT.split())
"""Parameters of the library that say where files, columns and machines are, or act only on its command line."""

_FOREST: Mapping[str, object] = {
    "boosting": "rf",
    "bagging_freq": 1,
    "bagging_fraction": 0.8,
    "feature_fraction_bynode": 0.8,
}
"""A random forest needs a share of the rows or of the columns; these are XGBoost's for its forests."""

ESTIMATORS: Mapping[str, tuple[str, str, Mapping[str, object]]] = MappingProxyType(
    {
        "lightgbm.gbdt": ("lightgbm.Booster", "any", {"boosting": "gbdt"}),
        "lightgbm.dart": ("lightgbm.Booster", "any", {"boosting": "dart"}),
        "lightgbm.rf": ("lightgbm.Booster", "any", _FOREST),
        "lightgbm.goss": ("lightgbm.Booster", "any", {"boosting": "gbdt", "data_sample_strategy": "goss"}),
        "lightgbm.LGBMClassifier": ("lightgbm.LGBMClassifier", "classifier", {}),
        "lightgbm.LGBMRegressor": ("lightgbm.LGBMRegressor", "regressor", {"objective": "regression"}),
        "lightgbm.LGBMRanker": ("lightgbm.LGBMRanker", "ranker", {"objective": "lambdarank"}),
    }
)
"""For each estimator: its class, its task, and the parameters that it sets by itself."""
