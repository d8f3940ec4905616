-- title: sessions in progress that have a time of completion
-- severity: error
-- table: sessions
-- advice: they are over and count as running; the statement completes them
-- fix: UPDATE public.sessions SET status = 'completed' WHERE status = 'in_progress' AND completed_at IS NOT NULL AND unseeded(id);
SELECT id FROM sessions WHERE status = 'in_progress' AND completed_at IS NOT NULL
