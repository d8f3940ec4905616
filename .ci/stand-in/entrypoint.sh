#!/bin/sh
# Stands in for the entry point of postgres:16-alpine, as far as we use it: the variables, the change of user, and the
# server that listens on its socket alone while the folder is initialised.
set -eu

if [ "${1-}" != postgres ] || [ "${2-}" = --version ]; then
    exec "$@"
fi

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA"
    chmod 700 "$PGDATA"
    find "$PGDATA" ! -user postgres -exec chown postgres {} +
    # Read here: the file may be root's alone.
    if [ -n "${POSTGRES_PASSWORD_FILE-}" ]; then
        POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
        unset POSTGRES_PASSWORD_FILE
        export POSTGRES_PASSWORD
    fi
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    if [ -z "${POSTGRES_PASSWORD-}" ]; then
        echo "Error: the data folder is empty, and neither POSTGRES_PASSWORD nor POSTGRES_PASSWORD_FILE is set" >&2
        exit 1
    fi
    user=${POSTGRES_USER:-postgres}
    database=${POSTGRES_DB:-$user}
    umask 077
    printf '%s\n' "$POSTGRES_PASSWORD" >/tmp/password
    # shellcheck disable=SC2086 # the variable holds several arguments, as in the image
    initdb --username="$user" --pwfile=/tmp/password -c listen_addresses='*' ${POSTGRES_INITDB_ARGS-}
    rm /tmp/password
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    export PGPASSWORD="$POSTGRES_PASSWORD"
    pg_ctl -w -o "-c listen_addresses=''" start
    [ "$database" = postgres ] || createdb --username="$user" --maintenance-db=postgres "$database"
    for script in /docker-entrypoint-initdb.d/*.sh; do
        [ ! -e "$script" ] || sh "$script"
    done
    pg_ctl -w -m fast stop
    unset PGPASSWORD
    echo "PostgreSQL init process complete; ready for start up."
fi
unset POSTGRES_PASSWORD
exec "$@"
