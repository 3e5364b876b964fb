-- mysql: programs in containers
SELECT * FROM iris.train TO RUN sqlflow/sqlflow:step CMD "echo", "Hello World";
SELECT * FROM iris.train
TO RUN sqlflow/runnable:v0.0.1
CMD "binning.py", "--dbname=iris", "--columns=sepal_length,sepal_width", "--bin_method=bucket,log_bucket", "--bin_num=10,5"
INTO iris.binning_result;
SELECT * FROM iris.train
TO RUN sqlflow/runnable:v0.0.1 CMD "two_dim_binning.py", "--bin_num=10,5" INTO iris.bins, iris.probabilities, iris.counts;
