-- mysql: column functions with boosted trees, and starting from a trained model
SELECT * FROM iris.train
TO TRAIN xgboost.gbtree
WITH objective="multi:softprob", train.num_boost_round=2, num_class=3
COLUMN sepal_length, sepal_width, BUCKET(petal_length, [0, 1, 2, 3, 4, 5]), petal_width
LABEL class INTO sqlflow_models.bucket;
SELECT customerid, gender, seniorcitizen FROM churn.train
TO TRAIN xgboost.gbtree WITH objective="binary:logistic", train.num_boost_round=30, eta=0.4
COLUMN CATEGORY_HASH(customerid, 10), CATEGORY_ID(gender, 2)
LABEL seniorcitizen INTO sqlflow_models.churn;
SELECT customerid, gender, seniorcitizen FROM churn.train
TO TRAIN xgboost.gbtree WITH objective="binary:logistic"
COLUMN INDICATOR(CATEGORY_HASH(customerid, 10)), INDICATOR(CATEGORY_ID(gender, 2))
LABEL seniorcitizen USING sqlflow_models.churn INTO sqlflow_models.churn_more;
SHOW TRAIN sqlflow_models.churn_more;
