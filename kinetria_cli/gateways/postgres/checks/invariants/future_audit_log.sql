-- title: audit rows dated in the future
-- severity: warning
-- table: audit_log
-- advice: a clock was wrong, or the date is; they stand first in every list until then
SELECT id FROM audit_log WHERE greatest(created_at) > %(now)s + interval '5 minutes' AND unseeded(id)
