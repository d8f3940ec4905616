-- Takes the guards away and no row: audit_log can be changed again, updated_at is the writer's own business again.
-- DROP TRIGGER waits for everybody who uses its table, readers too, and holds them up for a moment.

DROP TRIGGER audit_log_no_truncate ON public.audit_log;

DROP TRIGGER audit_log_append_only ON public.audit_log;

DROP TRIGGER sessions_set_updated_at ON public.sessions;

DROP TRIGGER exercises_set_updated_at ON public.exercises;

DROP TRIGGER workouts_set_updated_at ON public.workouts;

DROP TRIGGER users_set_updated_at ON public.users;

DROP FUNCTION public.set_updated_at();

DROP FUNCTION public.audit_log_append_only();
