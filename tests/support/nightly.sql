-- A build that runs every night: what others load into `raw` becomes tables and a view in `mart`.
CREATE TABLE mart.stg_customers AS SELECT id, lower(email) AS email, country FROM raw.customers WHERE id IS NOT NULL;
CREATE TABLE mart.stg_products AS SELECT id, name, price FROM raw.products;
CREATE TABLE mart.stg_orders AS SELECT id, customer_id, ordered_at::date AS day, status FROM raw.orders;
CREATE TABLE mart.stg_items AS SELECT order_id, product_id, quantity FROM raw.order_items WHERE quantity > 0;
CREATE TABLE mart.stg_payments AS SELECT order_id, sum(amount) AS paid FROM raw.payments GROUP BY order_id;
CREATE INDEX stg_orders_id ON mart.stg_orders (id);
CREATE INDEX stg_items_order ON mart.stg_items (order_id);
CREATE VIEW mart.valid_orders AS SELECT * FROM mart.stg_orders WHERE status <> 'cancelled';
CREATE TABLE mart.int_order_totals AS
    SELECT i.order_id, sum(i.quantity * p.price) AS total FROM mart.stg_items i
    JOIN mart.stg_products p ON p.id = i.product_id GROUP BY i.order_id;
CREATE TABLE mart.int_paid_orders AS
    SELECT o.id, o.customer_id, o.day, p.paid FROM mart.valid_orders o JOIN mart.stg_payments p ON p.order_id = o.id;
CREATE TABLE mart.int_customer_days AS
    SELECT o.customer_id, o.day, count(*) AS orders FROM mart.valid_orders o GROUP BY o.customer_id, o.day;
CREATE TABLE mart.dim_customers (id int, email text, country text, orders bigint);
INSERT INTO mart.dim_customers
    SELECT c.id, c.email, c.country, coalesce(sum(d.orders), 0) FROM mart.stg_customers c
    LEFT JOIN mart.int_customer_days d ON d.customer_id = c.id GROUP BY c.id, c.email, c.country;
CREATE TABLE mart.fct_orders AS
    SELECT o.id, o.customer_id, o.day, t.total, o.paid FROM mart.int_paid_orders o
    JOIN mart.int_order_totals t ON t.order_id = o.id;
CREATE TABLE mart.fct_products AS
    SELECT i.product_id, sum(i.quantity) AS sold FROM mart.stg_items i GROUP BY i.product_id;
CREATE TABLE mart.rep_countries AS
    SELECT c.country, sum(f.total) AS total FROM mart.fct_orders f
    JOIN mart.dim_customers c ON c.id = f.customer_id GROUP BY c.country;
CREATE TABLE mart.rep_days AS SELECT day, sum(paid) AS paid, count(*) AS orders FROM mart.fct_orders GROUP BY day;
CREATE TABLE mart.rep_products AS
    SELECT p.name, f.sold, f.sold * p.price AS turnover FROM mart.fct_products f
    JOIN mart.stg_products p ON p.id = f.product_id;
COMMENT ON TABLE mart.rep_countries IS 'Turnover by country';
SELECT * FROM mart.rep_countries ORDER BY total DESC;
