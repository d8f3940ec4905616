-- What all databases of a server share: roles, what they belong to and their settings, databases, tablespaces.
SELECT 'role ' || quote_ident(r.rolname), NULL,
    concat_ws(', ',
        CASE WHEN r.rolsuper THEN 'superuser' END, CASE WHEN r.rolinherit THEN 'inherit' END,
        CASE WHEN r.rolcreaterole THEN 'createrole' END, CASE WHEN r.rolcreatedb THEN 'createdb' END,
        CASE WHEN r.rolcanlogin THEN 'login' END, CASE WHEN r.rolreplication THEN 'replication' END,
        CASE WHEN r.rolbypassrls THEN 'bypassrls' END, 'connection limit ' || nullif(r.rolconnlimit, -1),
        'valid until ' || r.rolvaliduntil, 'settings ' || array_to_string(r.rolconfig, ', '),
        'member of ' || (
            SELECT string_agg(m.roleid::regrole::text, ' ' ORDER BY m.roleid::regrole::text)
            FROM pg_auth_members AS m WHERE m.member = r.oid
        )
    )
FROM pg_roles AS r
WHERE r.oid >= 16384
UNION ALL
SELECT 'tablespace ' || quote_ident(t.spcname), NULL, array_to_string(t.spcoptions, ', ')
FROM pg_tablespace AS t
WHERE t.oid >= 16384
UNION ALL
-- A scratch database comes and goes without any migration's doing.
SELECT 'database ' || quote_ident(d.datname), NULL,
    concat_ws(', ', 'connection limit ' || nullif(d.datconnlimit, -1), CASE WHEN NOT d.datallowconn THEN 'no connections' END,
        array_to_string((SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = d.oid AND setrole = 0), ', '))
FROM pg_database AS d
WHERE d.datname !~ '^kinetria_verify_'
