#!/bin/sh
# Create the database once, then serve it. POSTGRES_PASSWORD is the password of the user `sqlflow`.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    mkdir -p "$PGDATA"
    printf '%s' "$POSTGRES_PASSWORD" > /tmp/password
    initdb --username=sqlflow --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-sync > /tmp/initdb.log
    rm /tmp/password
    echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
    # The server listens on no network until the database exists, so a client never meets a half-made one.
    pg_ctl --wait --silent --log=/tmp/init.log --options="-c listen_addresses='' -c unix_socket_directories=/tmp -c fsync=off" start
    createdb --host=/tmp --username=sqlflow sqlflow
    pg_ctl --wait --silent --mode=fast stop
fi
exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp -c fsync=off -c log_min_messages=warning
