#!/bin/sh
set -e
case "$1" in -*) set -- mariadbd "$@" ;; esac
case "$1" in mysqld|mariadbd) ;; *) exec "$@" ;; esac
note() { echo "$(date +%F\ %T)+00:00 [$1] [Entrypoint]: $2"; }
note Note "Entrypoint script for MariaDB Server 1:10.11.14+maria~ubu2204 started."
if [ "$(id -u)" = 0 ]; then chown -R mysql /var/lib/mysql; note Note "Switching to dedicated user 'mysql'"; fi
if [ ! -d /var/lib/mysql/mysql ]; then
    for v in ROOT_PASSWORD ALLOW_EMPTY_PASSWORD ALLOW_EMPTY_ROOT_PASSWORD RANDOM_ROOT_PASSWORD ROOT_PASSWORD_FILE ROOT_PASSWORD_HASH; do
        eval "given=\"\${given:-}\${MYSQL_$v:-}\${MARIADB_$v:-}\""
    done
    if [ -z "$given" ]; then
        note ERROR "Database is uninitialized and password option is not specified" >&2
        printf '\tYou need to specify one of MARIADB_ROOT_PASSWORD, MARIADB_ROOT_PASSWORD_HASH, MARIADB_ALLOW_EMPTY_ROOT_PASSWORD and MARIADB_RANDOM_ROOT_PASSWORD\n' >&2
        exit 1
    fi
    note Note "Initializing database files"
    sleep 1.2
    note Note "Database files initialized"
    note Note "Starting temporary server"
    note Note "Waiting for server startup"
    mariadbd --skip-networking &
    temp=$!
    until mysqladmin ping --silent > /dev/null 2>&1; do sleep 0.2; done
    note Note "Temporary server started."
    export MYSQL_PWD="${MARIADB_ROOT_PASSWORD:-$MYSQL_ROOT_PASSWORD}"
    db="${MARIADB_DATABASE:-$MYSQL_DATABASE}"
    if [ -n "$db" ]; then note Note "Creating database $db"; mysql -u root -e "CREATE DATABASE IF NOT EXISTS $db"; fi
    note Note "Securing system users (equivalent to running mysql_secure_installation)"
    for f in /docker-entrypoint-initdb.d/*; do
        case "$f" in
            *.sh) note Note "running $f"; . "$f" ;;
            *.sql) note Note "running $f"; mysql -u root $db < "$f" ;;
        esac
    done
    note Note "Stopping temporary server"
    kill $temp
    wait $temp || true
    unset MYSQL_PWD
    note Note "Temporary server stopped"
    mkdir /var/lib/mysql/mysql
    note Note "MariaDB init process done. Ready for start up."
fi
exec "$@"
