#!/bin/sh
# Create the database once, then serve it. MARIADB_PASSWORD is the password of the user `sqlflow`.
set -eu
data=/data/mariadb
if [ ! -d "$data/mysql" ]; then
    mariadb-install-db --no-defaults --auth-root-authentication-method=normal --datadir="$data" --skip-test-db > /tmp/install.log
    cat > /tmp/init.sql <<SQL
CREATE DATABASE IF NOT EXISTS sqlflow CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'sqlflow'@'%' IDENTIFIED BY '$MARIADB_PASSWORD';
GRANT ALL ON *.* TO 'sqlflow'@'%';
SQL
fi
exec mariadbd --no-defaults --datadir="$data" --socket=/tmp/mariadb.sock --pid-file=/tmp/mariadb.pid --tmpdir=/tmp \
    --init-file=/tmp/init.sql --innodb-flush-log-at-trx-commit=0 --skip-name-resolve
