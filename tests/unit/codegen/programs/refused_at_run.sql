-- mysql: programs that parse, and that only the data can refuse
SELECT * FROM iris.train LIMIT 0
TO TRAIN xgboost.gbtree WITH objective="multi:softmax", num_class=3 LABEL class INTO sqlflow_models.none;
SELECT * FROM iris.train
TO TRAIN xgboost.gbtree WITH objective="multi:softmax", num_class=3 LABEL no_such_column INTO sqlflow_models.none;
SELECT * FROM iris.train
TO TRAIN xgboost.gbtree WITH objective="multi:softmax", num_class=3 COLUMN "a.*" LABEL class INTO sqlflow_models.none;
SELECT * FROM iris.train
TO TRAIN xgboost.gbtree WITH objective="multi:softmax", num_class=3 COLUMN "[*" LABEL class INTO sqlflow_models.none;
SELECT * FROM iris.train
TO TRAIN xgboost.gbtree WITH objective="multi:softmax", num_class=3 COLUMN sepal_lenght LABEL class INTO sqlflow_models.none;
