-- title: users whose e-mail differs from another's only in capital letters
-- severity: warning
-- table: users
-- advice: one person may have two accounts, and a login may find the wrong one; change or merge them
SELECT id
FROM (SELECT id, count(*) OVER (PARTITION BY lower(email)) AS alike FROM users) AS counted
WHERE alike > 1
