-- title: sets dated in the future
-- severity: warning
-- table: set_records
-- advice: a clock was wrong, or the date is; they stand first in every list until then
SELECT id FROM set_records WHERE greatest(created_at) > %(now)s + interval '5 minutes' AND unseeded(id)
