-- mysql: SQLFlow's TensorFlow estimators
SELECT * FROM iris.train
TO TRAIN DNNClassifier
WITH model.n_classes = 3, model.hidden_units = [10, 20], train.batch_size = 1, train.epoch = 1
LABEL class INTO sqlflow_models.my_dnn;
SELECT * FROM iris.test TO PREDICT iris.predict.class USING sqlflow_models.my_dnn;
SELECT * FROM iris.train
TO TRAIN DNNClassifier
WITH model.n_classes = 3, model.hidden_units = [100, 100], train.epoch = 10,
     optimizer.learning_rate = 0.01, validation.metrics = "Accuracy,AUC"
LABEL class INTO sqlflow_models.my_dnn_100;
SELECT * FROM sanity_check.train
TO TRAIN DNNClassifier
WITH model.n_classes = 5, model.hidden_units = [42, 13], model.optimizer = "Adam", train.epoch = 100
COLUMN DENSE(features, 5, COMMA)
LABEL class INTO sqlflow_models.sane;
SELECT f9, f10, target FROM housing.train
TO TRAIN LinearRegressor WITH model.label_dimension = 1, train.batch_size = 16, train.epoch = 10
LABEL target INTO sqlflow_models.linear;
SELECT * FROM titanic.train
TO TRAIN DNNClassifier WITH model.n_classes = 2, model.hidden_units = [10, 40, 10], train.epoch = 200, train.batch_size = 64
LABEL survived INTO sqlflow_models.titanic;
SELECT * FROM creditcard.creditcard
TO TRAIN DNNClassifier WITH model.n_classes = 2, model.hidden_units = [128, 32], train.epoch = 100
LABEL class INTO sqlflow_models.creditcard;
