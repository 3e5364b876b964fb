-- How much of what to make, and what to bring where.
SELECT * FROM woodcarving
TO MAXIMIZE SUM((price - materials_cost - other_cost) * product)
CONSTRAINT SUM(finishing * product) <= 100, SUM(carpentry * product) <= 80, product <= max_num
WITH variables="product", var_type="NonNegativeIntegers"
INTO woodcarving_plan;

SELECT p.plants, p.capacity, m.markets, m.demand, d.distance
FROM plants p, markets m, distances d
WHERE d.plants = p.plants AND d.markets = m.markets
TO MINIMIZE SUM(shipment * distance)
CONSTRAINT SUM(shipment) <= capacity GROUP BY plants, SUM(shipment) >= demand GROUP BY markets
WITH variables="shipment(plants, markets)", var_type="NonNegativeIntegers"
USING glpk
INTO shipment_plan;

SELECT p.plants, p.capacity, m.markets, m.demand, d.distance
FROM plants p, markets m, distances d
WHERE d.plants = p.plants AND d.markets = m.markets
TO MINIMIZE SUM(shipment * distance * 90 / 1000)
CONSTRAINT SUM(shipment) <= capacity GROUP BY plants, SUM(shipment) >= demand GROUP BY markets
WITH variables="shipment(plants, markets)", var_type="NonNegativeReals"
USING glpk
INTO freight_plan;
