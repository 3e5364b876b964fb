-- Made for this example: twelve parts.
DROP TABLE IF EXISTS parts;
CREATE TABLE parts (width INTEGER, weight INTEGER);
INSERT INTO parts VALUES (0, 1), (1, 2), (2, 4), (3, 8), (4, 16), (5, 32), (6, 64), (7, 125), (8, 250), (9, 500), (10, 750), (12, 1000);

-- A program of your own image: it reads the query and writes three tables.
SELECT * FROM parts
TO RUN localhost/binning:dev
CMD "two_dim_binning.py", "--columns=width,weight", "--bin_method=bucket,log_bucket", "--bin_num=4,3"
INTO width_bins, weight_bins, both_bins;

SELECT * FROM width_bins ORDER BY bin;
SELECT * FROM weight_bins ORDER BY bin;
SELECT * FROM both_bins ORDER BY bin1, bin2;
