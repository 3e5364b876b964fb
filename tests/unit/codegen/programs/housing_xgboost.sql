-- mysql: house prices by boosted trees
SELECT * FROM housing.train
TO TRAIN xgboost.gbtree
WITH objective="reg:squarederror", train.num_boost_round=30,
     validation.select="SELECT * FROM housing.train LIMIT 20"
LABEL target
INTO sqlflow_models.housing;
SELECT * FROM housing.test
TO EVALUATE sqlflow_models.housing
WITH validation.metrics="mean_absolute_error,mean_squared_error"
LABEL target INTO housing.scores;
SELECT f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13 FROM housing.test
TO PREDICT housing.predict.result USING sqlflow_models.housing;
SELECT * FROM housing.train
TO EXPLAIN sqlflow_models.housing
WITH summary.plot_type="bar", summary.alpha=1, summary.sort=True
USING TreeExplainer;
