-- title: completed sessions without a time of completion
-- severity: error
-- table: sessions
-- advice: the statement takes the time of their last change
-- fix: UPDATE public.sessions SET completed_at = greatest(started_at, updated_at) WHERE status = 'completed' AND completed_at IS NULL AND unseeded(id);
SELECT id FROM sessions WHERE status = 'completed' AND completed_at IS NULL
