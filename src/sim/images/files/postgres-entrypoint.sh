#!/bin/sh
set -e
case "$1" in -*) set -- postgres "$@" ;; esac
[ "$1" = postgres ] || exec "$@"
for v in POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB; do
    eval "file=\${${v}_FILE:-}; value=\${$v:-}"
    if [ -n "$file" ] && [ -n "$value" ]; then echo "error: both $v and ${v}_FILE are set (but are exclusive)" >&2; exit 1; fi
    if [ -n "$file" ]; then eval "export $v=\"\$(cat \"$file\")\""; fi
done
mkdir -p "$PGDATA"
if [ "$(id -u)" = 0 ]; then chown -R postgres "$PGDATA"; fi
chmod 0700 "$PGDATA" 2>/dev/null || {
    echo "initdb: error: could not change permissions of directory \"$PGDATA\": Operation not permitted" >&2; exit 1; }
if [ -s "$PGDATA/PG_VERSION" ]; then
    printf '\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n'
    exec "$@"
fi
if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
    cat >&2 <<'EOE'
Error: Database is uninitialized and superuser password is not specified.
       You must specify POSTGRES_PASSWORD to a non-empty value for the
       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".

       You may also use "POSTGRES_HOST_AUTH_METHOD=trust" to allow all
       connections without a password. This is *not* recommended.

       See PostgreSQL documentation about "trust":
       https://www.postgresql.org/docs/current/auth-trust.html
EOE
    exit 1
fi
echo 'The files belonging to this database system will be owned by user "postgres".'
echo 'This user must also own the server process.'
echo
if [ -n "$(ls -A "$PGDATA")" ]; then
    echo "initdb: error: directory \"$PGDATA\" exists but is not empty" >&2
    if [ -d "$PGDATA/lost+found" ]; then echo "initdb: detail: It contains a lost+found directory, perhaps due to it being a mount point." >&2; fi
    exit 1
fi
echo "fixing permissions on existing directory $PGDATA ... ok"
echo "creating subdirectories ... ok"
sleep 0.4
echo "running bootstrap script ... ok"
sleep 0.7
echo "performing post-bootstrap initialization ... ok"
echo "syncing data to disk ... ok"
printf '\n\nSuccess. You can now start the database server using:\n\n    pg_ctl -D %s -l logfile start\n\n' "$PGDATA"
printf 'waiting for server to start....'
postgres -c listen_addresses='' &
temp=$!
until pg_isready -q; do sleep 0.1; done
printf ' done\nserver started\n'
export PGUSER="${POSTGRES_USER:-postgres}"
db="${POSTGRES_DB:-$PGUSER}"
if [ "$db" != postgres ]; then psql -v ON_ERROR_STOP=1 -d postgres -c "CREATE DATABASE \"$db\""; echo; fi
printf '\n'
export PGDATABASE="$db"
for f in /docker-entrypoint-initdb.d/*; do
    case "$f" in
        *.sh) if [ -x "$f" ]; then echo "/usr/local/bin/docker-entrypoint.sh: running $f"; "$f"; else echo "/usr/local/bin/docker-entrypoint.sh: sourcing $f"; . "$f"; fi ;;
        *.sql) echo "/usr/local/bin/docker-entrypoint.sh: running $f"; psql -v ON_ERROR_STOP=1 -f "$f"; echo ;;
        *'*') echo "/usr/local/bin/docker-entrypoint.sh: ignoring /docker-entrypoint-initdb.d/*" ;;
        *) echo "/usr/local/bin/docker-entrypoint.sh: ignoring $f" ;;
    esac
done
unset PGUSER PGDATABASE
echo 16 > "$PGDATA/PG_VERSION"
printf 'waiting for server to shut down....'
kill -INT $temp
wait $temp || true
printf ' done\nserver stopped\n\nPostgreSQL init process complete; ready for start up.\n\n'
exec "$@"
