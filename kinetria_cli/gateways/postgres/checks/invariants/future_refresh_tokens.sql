-- title: refresh tokens dated in the future
-- severity: warning
-- table: refresh_tokens
-- advice: a clock was wrong, or the date is; they stand first in every list until then
SELECT id FROM refresh_tokens WHERE greatest(created_at) > %(now)s + interval '5 minutes' AND unseeded(id)
