-- mysql: key:value texts and comma-separated numbers in one column
SELECT c1, label_col FROM xgboost_sparse_data_train
TO TRAIN xgboost.gbtree WITH objective="reg:squarederror", train.num_boost_round=20
COLUMN SPARSE(c1)
LABEL label_col INTO sqlflow_models.sparse;
SELECT c1, label_col FROM xgboost_sparse_data_train
TO TRAIN xgboost.gbtree WITH objective="reg:squarederror"
COLUMN SPARSE(c1, 11)
LABEL label_col INTO sqlflow_models.sparse_shape;
SELECT c1 FROM xgboost_sparse_data_train TO PREDICT sparse_result.predicted USING sqlflow_models.sparse;
SELECT * FROM feature_derivation_case.train
TO TRAIN xgboost.gbtree
WITH objective="binary:logistic", train.num_boost_round=100, eta=0.3, max_depth=5
COLUMN DENSE(c3, 4)
LABEL class INTO sqlflow_models.dense;
SELECT * FROM feature_derivation_case.train
TO EVALUATE sqlflow_models.dense WITH validation.metrics="accuracy_score,f1_score" LABEL class INTO dense_scores;
