-- mysql: three classes of iris by boosted trees, from training to both explainers
SELECT * FROM iris.train
TO TRAIN xgboost.gbtree
WITH objective="multi:softprob", train.num_boost_round=20, num_class=3, validation.select="SELECT * FROM iris.test"
LABEL class
INTO sqlflow_models.my_xgb_model;

SELECT * FROM iris.test TO PREDICT iris.predict.class USING sqlflow_models.my_xgb_model;

SELECT * FROM iris.test
TO EVALUATE sqlflow_models.my_xgb_model
WITH validation.metrics="accuracy_score"
LABEL class INTO iris.evaluate_result;

SHOW TRAIN sqlflow_models.my_xgb_model;

SELECT * FROM iris.test TO EXPLAIN sqlflow_models.my_xgb_model INTO iris.explain_result;
SELECT * FROM iris.test
TO EXPLAIN sqlflow_models.my_xgb_model USING XGBoostExplainer INTO iris.importance;
SELECT * FROM iris.importance ORDER BY gain DESC LIMIT 5;
