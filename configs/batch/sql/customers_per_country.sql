-- customers_per_country: number of customers per country
-- local, 2026-11-21; change the question, not this file
SELECT
  customers.country,
  COUNT(*) AS count
FROM customers
GROUP BY
  customers.country
