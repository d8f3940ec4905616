-- Which values has each ENUM type, in order?
SELECT t.typname, array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FILTER (WHERE e.enumlabel IS NOT NULL)
FROM pg_type AS t
LEFT JOIN pg_enum AS e ON e.enumtypid = t.oid
WHERE t.typnamespace = to_regnamespace('public') AND t.typtype = 'e'
GROUP BY t.oid
