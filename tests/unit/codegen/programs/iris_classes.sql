-- mysql: two classes, then three
SELECT * FROM iris.train WHERE class < 2
TO TRAIN xgboost.gbtree WITH objective="binary:logistic", eval_metric=auc, train.num_boost_round=20
LABEL class INTO sqlflow_models.binary;
SELECT * FROM iris.train
TO TRAIN xgboost.gbtree WITH objective="multi:softmax", num_class=3, eta=0.4
LABEL class INTO sqlflow_models.three;
SELECT * FROM iris.test WHERE class < 2 TO PREDICT iris.two.class USING sqlflow_models.binary;
SELECT * FROM iris.test TO PREDICT iris.three.class USING sqlflow_models.three;
