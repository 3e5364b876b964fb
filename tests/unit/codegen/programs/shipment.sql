-- mysql: from plants to markets, at the least cost
SELECT src.plants AS plants, src.capacity AS capacity, dst.markets AS markets, dst.demand AS demand, d.distance AS distance
FROM optimize_test_db.plants_table src, optimize_test_db.markets_table dst, optimize_test_db.distances d
WHERE d.plants = src.plants AND d.markets = dst.markets
TO MINIMIZE SUM(shipment * distance * 90 / 1000)
CONSTRAINT SUM(shipment) <= capacity GROUP BY plants, SUM(shipment) >= demand GROUP BY markets
WITH variables="shipment(plants,markets)", var_type="NonNegativeIntegers"
INTO optimize_test_db.shipment_result;
SELECT * FROM optimize_test_db.transport
TO MINIMIZE SUM(shipment * distance)
CONSTRAINT SUM(shipment * 100) >= demand GROUP BY markets
WITH variables="shipment(plants,markets)", var_type="NonNegativeReals", solver.max_iter=100
USING baron
INTO optimize_test_db.shipment_nonlinear;
