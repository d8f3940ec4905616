-- Keeps two promises in the database itself, whoever writes: audit_log is append-only, and updated_at is true.
-- It guards against accident, not against the owner of the tables: an owner can disable or drop these triggers, and a
-- superuser's session_replication_role = replica passes them by, as logical replication has to.
--
-- audit_log takes INSERT and COPY. The one change of a row that passes is what deleting a user does by the foreign
-- key: user_id becomes null and all else stays. Pruning on purpose takes a transaction that says so:
--   BEGIN; SET LOCAL kinetria.maintenance = 'on'; DELETE FROM audit_log WHERE ...; COMMIT;
-- A plain SET opens the table too, until the end of the session: the server does not tell a trigger how a setting was
-- made. Hence SET LOCAL, and never in postgresql.conf, ALTER ROLE or ALTER DATABASE.
--
-- An UPDATE that sets updated_at itself is believed (a synchronisation keeps the client's time); one that changes
-- something and leaves it is stamped with now(), as the column's default does; one that changes nothing is not.
--
-- CREATE TRIGGER locks out writers of its table, not readers, for a moment.

-- search_path is fixed, so that no operator of somebody's own schema can stand in for the comparison below.
CREATE FUNCTION public.audit_log_append_only() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        -- A trigger's depth is 1 where a statement of the user's own fired it: a foreign key's UPDATE comes from a
        -- trigger and is deeper.
        IF pg_trigger_depth() > 1 AND OLD.user_id IS NOT NULL AND NEW.user_id IS NULL THEN
            NEW.user_id := OLD.user_id;
            -- Compared as stored, so that a column added later counts too, also one of a type without an equality.
            IF NEW *= OLD THEN
                NEW.user_id := NULL;
                RETURN NEW;
            END IF;
        END IF;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'insufficient_privilege',
        MESSAGE = format('audit_log is append-only: %s is refused', TG_OP),
        DETAIL = 'A row is only ever changed by the foreign key, which sets user_id to null when the user is deleted.',
        HINT = 'to prune on purpose: BEGIN; SET LOCAL kinetria.maintenance = ''on''; DELETE ...; COMMIT;',
        SCHEMA = TG_TABLE_SCHEMA,
        TABLE = TG_TABLE_NAME;
END;
$body$;

COMMENT ON FUNCTION public.audit_log_append_only() IS
    'Refuses what is not an INSERT into audit_log, but for user_id set to null by the foreign key.';

-- Nothing in here is looked up by search_path.
CREATE FUNCTION public.set_updated_at() RETURNS trigger
LANGUAGE plpgsql
AS $body$
BEGIN
    NEW.updated_at := pg_catalog.now();
    RETURN NEW;
END;
$body$;

COMMENT ON FUNCTION public.set_updated_at() IS
    'Stamps a row that an UPDATE changed without setting updated_at itself.';

-- The conditions are in WHEN, so that a row that needs no stamp costs no call. Rows are compared as stored; a generated
-- column, which has no value yet before an UPDATE, would need the trigger of its table made anew.
-- Parents first, the order in which rows are inserted, so that no writer and this file wait for each other.
CREATE TRIGGER users_set_updated_at BEFORE UPDATE ON public.users FOR EACH ROW
WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at AND NEW *<> OLD)
EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER workouts_set_updated_at BEFORE UPDATE ON public.workouts FOR EACH ROW
WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at AND NEW *<> OLD)
EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER exercises_set_updated_at BEFORE UPDATE ON public.exercises FOR EACH ROW
WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at AND NEW *<> OLD)
EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER sessions_set_updated_at BEFORE UPDATE ON public.sessions FOR EACH ROW
WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at AND NEW *<> OLD)
EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON public.audit_log FOR EACH ROW
WHEN (current_setting('kinetria.maintenance', true) IS DISTINCT FROM 'on')
EXECUTE FUNCTION public.audit_log_append_only();

-- Also fired by TRUNCATE users CASCADE.
CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON public.audit_log FOR EACH STATEMENT
WHEN (current_setting('kinetria.maintenance', true) IS DISTINCT FROM 'on')
EXECUTE FUNCTION public.audit_log_append_only();
