-- mysql: what to carve within the hours that there are
SELECT * FROM optimize_test_db.woodcarving
TO MAXIMIZE SUM((price - materials_cost - other_cost) * product)
CONSTRAINT SUM(finishing * product) <= 100, SUM(carpentry * product) <= 80, product <= max_num
WITH variables="product", var_type="NonNegativeIntegers"
USING glpk
INTO optimize_test_db.woodcarving_result;
SELECT * FROM optimize_test_db.woodcarving
TO MAXIMIZE SUM((price-materials_cost-other_cost)*amount)
CONSTRAINT SUM(finishing*amount)<=100
WITH variables="amount(product)", var_type="Binary"
INTO optimize_test_db.woodcarving_binary;
SELECT * FROM optimize_test_db.woodcarving
TO MINIMIZE SUM(price * product)
WITH variables="product", var_type="PositiveIntegers"
INTO optimize_test_db.woodcarving_least;
