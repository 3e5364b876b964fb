-- A number: what a house costs.
SELECT * FROM housing_train
TO TRAIN xgboost.gbtree
WITH objective="reg:squarederror", eval_metric="rmse", train.num_boost_round=30,
     validation.select="SELECT * FROM housing_test LIMIT 20"
LABEL target
INTO housing_trees;

SELECT * FROM housing_test
TO EVALUATE housing_trees
WITH validation.metrics="mean_absolute_error,mean_squared_error"
LABEL target
INTO housing_evaluated;

SELECT * FROM housing_test
TO PREDICT housing_predicted.target
USING housing_trees;

-- Which columns matter: 30 rounds of trees, and one column of SHAP values for each of them.
SELECT * FROM housing_train
TO EXPLAIN housing_trees
WITH summary.plot_type="bar"
USING TreeExplainer
INTO housing_explained;
