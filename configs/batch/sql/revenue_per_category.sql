-- revenue_per_category: revenue by category
-- local, 2026-11-21; change the question, not this file
SELECT
  products.category,
  SUM(order_items.quantity * order_items.unit_price * (
    1 - order_items.discount
  )) AS revenue
FROM order_items
INNER JOIN products
  ON order_items.product_id = products.id
GROUP BY
  products.category
