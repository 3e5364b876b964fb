-- mysql: prices of used cars, and where they come from
SELECT * FROM carprice.train
TO TRAIN xgboost.gbtree
WITH objective="reg:squarederror", train.num_boost_round=300, eta=0.1, max_depth=6, subsample=0.8,
     colsample_bytree=0.9, lambda=1.5, tree_method=hist, train.early_stopping_rounds=10,
     validation.select="SELECT * FROM carprice.test WHERE make <> \"it's\""
LABEL price
INTO sqlflow_models.carprice;
SELECT * FROM carprice.test TO EXPLAIN sqlflow_models.carprice WITH summary.plot_type="bar" USING TreeExplainer;
