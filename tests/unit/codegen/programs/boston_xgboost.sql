-- mysql: Boston's house prices, rows with NULL among them, and what SHAP says
UPDATE boston.train_ext SET rad = NULL, tax = NULL WHERE crim > 5;
SELECT crim, zn, indus, chas, nox, rm, age, dis, rad, tax, ptratio, b, lstat, medv FROM boston.train_ext
TO TRAIN xgboost.gbtree
WITH objective="reg:squarederror", train.num_boost_round = 30
COLUMN crim, zn, indus, chas, nox, rm, age, dis, rad, tax, ptratio, b, lstat
LABEL medv
INTO sqlflow_models.boston;
SELECT * FROM boston.test TO EXPLAIN sqlflow_models.boston WITH summary.plot_type="dot" USING TreeExplainer INTO boston.shap;
