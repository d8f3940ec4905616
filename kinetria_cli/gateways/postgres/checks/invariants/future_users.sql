-- title: users dated in the future
-- severity: warning
-- table: users
-- advice: a clock was wrong, or the date is; they stand first in every list until then
SELECT id FROM users WHERE greatest(created_at, updated_at) > %(now)s + interval '5 minutes' AND unseeded(id)
