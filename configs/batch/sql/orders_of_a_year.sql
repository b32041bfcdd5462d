-- orders_of_a_year: How many orders were there in 2024?
-- local, 2026-11-21; change the question, not this file
SELECT
  COUNT(*) AS count
FROM orders
WHERE
  orders.ordered_on >= CAST('2024-01-01' AS DATE) AND orders.ordered_on < CAST('2025-01-01' AS DATE)
