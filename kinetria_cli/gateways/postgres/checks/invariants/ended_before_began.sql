-- title: sessions that ended before they began
-- severity: error
-- table: sessions
-- advice: the statement lets them end when they began
-- fix: UPDATE public.sessions SET completed_at = started_at WHERE completed_at < started_at AND unseeded(id);
SELECT id FROM sessions WHERE completed_at < started_at
