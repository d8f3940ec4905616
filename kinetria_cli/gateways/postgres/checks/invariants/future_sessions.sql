-- title: sessions dated in the future
-- severity: warning
-- table: sessions
-- advice: a clock was wrong, or the date is; they stand first in every list until then
SELECT id FROM sessions WHERE greatest(started_at, completed_at, created_at, updated_at) > %(now)s + interval '5 minutes' AND unseeded(id)
