-- title: sessions in progress for more than a day
-- severity: warning
-- table: sessions
-- advice: the statement cancels them
-- fix: UPDATE public.sessions SET status = 'cancelled' WHERE status = 'in_progress' AND started_at < now() - interval '1 day' AND unseeded(id);
SELECT id FROM sessions WHERE status = 'in_progress' AND started_at < %(now)s - interval '1 day' AND unseeded(id)
