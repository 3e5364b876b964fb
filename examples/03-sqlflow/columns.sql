-- What columns mean: intervals, categories, hashed texts, lists of numbers, sparse lists.
SELECT petal_length, petal_width, class FROM iris_train
TO TRAIN xgboost.gbtree
WITH objective="multi:softmax", num_class=3
COLUMN BUCKET(petal_length, [0, 1, 2, 3, 4, 5])
LABEL class
INTO iris_buckets;

SELECT * FROM churn
TO TRAIN xgboost.gbtree
WITH objective="binary:logistic", train.num_boost_round=5
COLUMN CATEGORY_HASH(customerid, 10), INDICATOR(CATEGORY_ID(gender, 2))
LABEL seniorcitizen
INTO churn_model;

-- Once more, from the model that is there.
SELECT * FROM churn
TO TRAIN xgboost.gbtree
WITH objective="binary:logistic", train.num_boost_round=5
COLUMN CATEGORY_HASH(customerid, 10), INDICATOR(CATEGORY_ID(gender, 2))
LABEL seniorcitizen
USING churn_model
INTO churn_model;

SELECT * FROM churn
TO PREDICT churn_predicted.seniorcitizen
USING churn_model;

SELECT * FROM sparse_pairs
TO TRAIN xgboost.gbtree
WITH objective="reg:squarederror", train.num_boost_round=20
COLUMN SPARSE(c1)
LABEL label_col
INTO sparse_model;

SELECT * FROM sparse_pairs
TO PREDICT sparse_predicted.new_label_col
USING sparse_model;

SELECT * FROM derivation
TO TRAIN xgboost.gbtree
WITH objective="binary:logistic", eta=0.3, max_depth=5, train.num_boost_round=100
COLUMN DENSE(c3, 4)
LABEL class
INTO derived_model;

SELECT * FROM derivation
TO EVALUATE derived_model
WITH validation.metrics="accuracy_score,f1_score"
LABEL class
INTO derived_evaluated;
