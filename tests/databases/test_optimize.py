"""MAXIMIZE and MINIMIZE on real databases: SQLFlow's examples, results, and what cannot be solved."""

from __future__ import annotations

import pytest
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import fail, succeed

WOOD = """
CREATE TABLE wood (product VARCHAR(20), price INTEGER, materials_cost INTEGER, other_cost INTEGER, finishing INTEGER,
  carpentry INTEGER, max_num INTEGER);
INSERT INTO wood VALUES ('train', 21, 9, 10, 1, 1, 10000), ('soldier', 27, 10, 14, 2, 1, 40);
"""
TRANSPORT = """
CREATE TABLE routes (plants VARCHAR(20), capacity INTEGER, markets VARCHAR(20), demand INTEGER, distance INTEGER);
INSERT INTO routes VALUES ('A', 100, 'A', 130, 140), ('A', 100, 'B', 60, 210), ('B', 90, 'A', 130, 300),
  ('B', 90, 'B', 60, 90);
"""
PROFIT = "SELECT * FROM wood TO MAXIMIZE SUM((price - materials_cost - other_cost) * product) "
HOURS = "CONSTRAINT SUM(finishing * product) <= 100, SUM(carpentry * product) <= 80, product <= max_num "
PLAN = "SELECT * FROM plan ORDER BY product;"
SHIP = """SELECT * FROM routes TO MINIMIZE SUM(shipment * distance{factor})
CONSTRAINT SUM(shipment) <= capacity GROUP BY plants, SUM(shipment) >= demand GROUP BY markets{further}
WITH variables="shipment(plants, markets)", var_type={kind} {using} INTO shipments;
SELECT * FROM shipments ORDER BY plants, markets;"""


@pytest.fixture
def wood(database: Database) -> Database:
    """SQLFlow's wood carver: two toys, the hours that each takes, and its price."""
    succeed(database, WOOD)
    return database


@pytest.fixture
def routes(database: Database) -> Database:
    """SQLFlow's transport: two plants, two markets, the distances between them."""
    succeed(database, TRANSPORT)
    return database


@pytest.mark.parametrize(
    ("variables", "expression", "column"),
    [("product", "product", "product_value"), ("amount(product)", "Amount", "amount")],
)
def test_wood_carving(wood: Database, variables: str, expression: str, column: str) -> None:
    with_ = f"WITH variables='{variables}', var_type=NonNegativeIntegers USING glpk INTO plan;"
    clauses = (PROFIT + HOURS).replace("* product", f"* {expression}").replace(", product", f", {expression}")
    ran = succeed(wood, clauses + with_ + PLAN)
    assert ran.rows(2) == [["soldier", 20], ["train", 60]]
    assert ran.of("columns", 2)[0]["names"] == ["product", column]
    assert ran.metrics == {"objective": 180}
    assert ran.of("metrics")[0]["model"] == "plan"
    assert ran.of("statement_finished", 1)[0]["rows"] == 2
    assert "HiGHS solves this, not glpk" in ran.logged


def test_wood_carving_once_each(wood: Database) -> None:
    ran = succeed(wood, PROFIT + HOURS + "WITH variables='product', var_type=Binary INTO plan;" + PLAN)
    assert ran.rows(2) == [["soldier", 1], ["train", 1]]
    least = "SELECT * FROM wood TO MINIMIZE SUM(price * product) WITH variables='product', var_type=PositiveIntegers "
    ran = succeed(wood, least + "INTO plan;" + PLAN)
    assert ran.rows(2) == [["soldier", 1], ["train", 1]]
    assert ran.metrics == {"objective": 48}


@pytest.mark.parametrize(
    ("factor", "further", "using", "shipments", "objective"),
    [
        ("", "", "", [100, 0, 30, 60], 28400),
        (" * 90 / 1000", "", "", [100, 0, 30, 60], 2556),
        (" * 90 / 1000", ", shipment * 100 >= demand", "USING baron", [99, 1, 31, 59], 2581.2),
    ],
)
def test_transport(
    routes: Database, factor: str, further: str, using: str, shipments: list[int], objective: float
) -> None:
    """SQLFlow calls the last one nonlinear; a variable times a number is linear."""
    ran = succeed(routes, SHIP.format(factor=factor, further=further, using=using, kind="NonNegativeIntegers"))
    keys = [["A", "A"], ["A", "B"], ["B", "A"], ["B", "B"]]
    assert ran.rows(2) == [[*key, number] for key, number in zip(keys, shipments, strict=True)]
    assert ran.metrics == {"objective": pytest.approx(objective)}


def test_fractions(routes: Database) -> None:
    further = ", 10.5 <= shipment <= 99.25"
    ran = succeed(routes, SHIP.format(factor="", further=further, using="", kind="NonNegativeReals"))
    assert [row[2] for row in ran.rows(2)] == pytest.approx([89.5, 10.5, 40.5, 49.5])
    found = routes.results.find(("shipments",))
    assert found is not None
    assert found.columns[2][1].lower() == routes.type_for("float").lower()


def test_several_variables(wood: Database) -> None:
    """Make and store: what is made and not sold is stored, at a cost."""
    program = """SELECT * FROM wood TO MAXIMIZE SUM((price - materials_cost) * make - 50 * store)
    CONSTRAINT SUM(finishing * make) = 101, make <= 40 + 5 * store
    WITH variables=["make(product)", "store(product)"], var_type=[NonNegativeIntegers, Binary] INTO plan;"""
    ran = succeed(wood, program + PLAN)
    assert ran.of("columns", 2)[0]["names"] == ["product", "make", "store"]
    assert ran.rows(2) == [["soldier", 31, 0], ["train", 39, 0]]


def test_constraints_that_clash(wood: Database) -> None:
    program = PROFIT + HOURS + ",\n product >= 45 WITH variables='product', var_type=NonNegativeIntegers INTO plan"
    error = fail(wood, program)
    assert (error.kind, error.statement, error.line) == ("data", 1, 1)
    assert "product <= max_num (product soldier); product >= 45 (product soldier)" in error.message
    assert "finishing" not in error.message
    assert "NonNegative" not in error.message, "the type takes no part in it"
    assert not wood.results.find(("plan",)), "nothing is written"


def test_a_type_that_takes_part_in_a_clash(wood: Database) -> None:
    program = PROFIT + "CONSTRAINT SUM(product) >= 3 WITH variables='product', var_type=Binary INTO plan"
    clash = "these cannot hold together: SUM(product) >= 3; product is Binary"
    assert fail(wood, program).message == f"no values meet all constraints; {clash}"


def test_whole_numbers_that_clash(wood: Database) -> None:
    odd = PROFIT + "CONSTRAINT product <= 9, SUM(2 * product) = 3 WITH variables='product', var_type=Integers INTO plan"
    message = "no whole numbers meet all constraints; this cannot hold: SUM(2 * product) = 3"
    assert fail(wood, odd).message == message


def test_no_best_value(wood: Database) -> None:
    bound = "CONSTRAINT (2 - finishing) * product <= 40"
    program = PROFIT + bound + " WITH variables='product', var_type=Reals INTO plan"
    error = fail(wood, program)
    why = "because no bound holds product soldier"
    assert error.message == f"there is no best value: the objective can be as great as one likes, {why}"
    assert (error.line, error.column) == (1, 32)


def test_values_at_a_bound_that_the_type_excludes(wood: Database) -> None:
    ran = succeed(
        wood, PROFIT.replace("MAXIMIZE", "MINIMIZE") + "WITH variables='product', var_type=PositiveReals INTO plan"
    )
    assert "2 values of product are 0: PositiveReals has no value next to 0, so 0 stands for it" in ran.logged


def test_bad_data(wood: Database) -> None:
    end = "WITH variables='product', var_type=Binary INTO plan"
    assert "returns no rows" in fail(wood, PROFIT.replace("wood", "wood WHERE price < 0") + end).message
    text = fail(wood, f"SELECT product, 'dear' AS price FROM wood TO MAXIMIZE SUM(price * product) {end}")
    assert "price is no number" in text.message
    null = fail(wood, f"SELECT product, NULLIF(price, 21) AS price FROM wood TO MAXIMIZE SUM(price * product) {end}")
    assert (null.message, null.kind) == ("price is NULL in the row product train", "data")
    assert "COALESCE(price, 0)" in null.hint
    twice = fail(wood, f"SELECT 'x' AS product, price FROM wood TO MAXIMIZE SUM(price * product) {end}")
    assert twice.message == "two rows have the same product: product x"
    unknown = fail(wood, f"SELECT product, price FROM wood TO MAXIMIZE SUM(prise * product) {end}")
    assert unknown.hint.startswith("Did you mean `price`?")


def test_a_result_is_replaced_and_a_table_of_others_is_not(wood: Database) -> None:
    program = PROFIT + HOURS + "WITH variables='product', var_type={} INTO {};"
    succeed(wood, program.format("Binary", "plan"))
    assert succeed(wood, program.format("NonNegativeIntegers", "plan") + PLAN).rows(2)[0] == ["soldier", 20]
    error = fail(wood, program.format("Binary", "wood"))
    assert error.kind == "usage"
    assert "wood" in error.message


def test_keys_keep_their_types(database: Database) -> None:
    dates = "CREATE TABLE d (day DATE, price DECIMAL(8, 2)); INSERT INTO d VALUES {};"
    rows = "('2024-01-01', 1.50), ('2024-02-29', 2.25)"
    program = "SELECT * FROM d TO MAXIMIZE SUM(price * x) CONSTRAINT x <= 4 WITH variables='x(day)', var_type=Integers "
    ran = succeed(database, dates.format(rows) + program + "INTO r; SELECT x FROM r")
    assert ran.rows(4) == [[4], [4]]
    assert ran.metrics == {"objective": 15}
    assert succeed(database, "SELECT count(*) FROM d JOIN r ON d.day = r.day").rows() == [[2]]


def test_a_time_limit_gives_the_best_found(sqlite: Database) -> None:
    """A search that ends at its limit of nodes: the values are good, the log says that better ones may exist."""
    numbers = [(n, (n * 7919) % 101 + 1, (n * 104729) % 97 + 1, (n * 1299709) % 89 + 1) for n in range(60)]
    succeed(sqlite, f"CREATE TABLE k (n INT, a INT, b INT, c INT); INSERT INTO k VALUES {str(numbers)[1:-1]};")
    program = """SELECT * FROM k TO MAXIMIZE SUM((a + b + c) * x)
    CONSTRAINT SUM(a * x) <= 800, SUM(b * x) <= 800, SUM(c * x) <= 700
    WITH variables='x(n)', var_type=Binary, solver.mip_max_nodes=1, solver.mip_heuristic_effort=0 INTO r;
    SELECT SUM(a * x), SUM(b * x), SUM(c * x) FROM k JOIN r ON k.n = r.n"""
    ran = succeed(sqlite, program)
    ((a, b, c),) = ran.rows(2)
    assert max(a - 800, b - 800, c - 700) <= 0
    assert ran.metrics["objective"] == a + b + c
    assert "HiGHS stopped before it was done" in ran.logged
    assert 0 < ran.metrics["gap"] < 0.1
