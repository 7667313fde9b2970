#!/bin/sh
set -e
say() { [ -n "$NGINX_ENTRYPOINT_QUIET_LOGS" ] || echo "$0: $1"; }
ipv6() {
    me=10-listen-on-ipv6-by-default.sh
    conf=etc/nginx/conf.d/default.conf
    if [ ! -f "/$conf" ]; then echo "$me: info: /$conf is not a file or does not exist"; return; fi
    touch /$conf 2>/dev/null || { echo "$me: info: can not modify /$conf (read-only file system?)"; return; }
    grep -q "listen  *\[::\]:[80]*;" /$conf && { echo "$me: info: IPv6 listen already enabled"; return; }
    echo "$me: info: Getting the checksum of /$conf"
    case "$(md5sum < /$conf)" in
        057cbeb404acdd368c8b795abc3ced4a*|fa9bd386d03cba83eaca3c1c35287711*) ;;
        *) echo "$me: info: /$conf differs from the packaged version"; return ;;
    esac
    sed -i 's,listen       \([80]*\);,listen       \1;\n    listen  [::]:\1;,' /$conf
    echo "$me: info: Enabled listen on IPv6 in /$conf"
}
templates() {
    me=20-envsubst-on-templates.sh
    from="${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}"
    suffix="${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}"
    to="${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}"
    [ -d "$from" ] || return 0
    if [ ! -w "$to" ]; then echo "$me: ERROR: $from exists, but $to is not writable"; return 0; fi
    list=$(env | sed -n "s/^\([A-Za-z_][A-Za-z_0-9]*\)=.*/\${\1}/p")
    for t in "$from"/*"$suffix"; do
        [ -f "$t" ] || continue
        out="$to/$(basename "$t" "$suffix")"
        echo "$me: Running envsubst on $t to $out"
        envsubst "$list" < "$t" > "$out"
    done
}
if [ "$1" = nginx ] || [ "$1" = nginx-debug ]; then
    say "/docker-entrypoint.d/ is not empty, will attempt to perform configuration"
    say "Looking for shell scripts in /docker-entrypoint.d/"
    say "Launching /docker-entrypoint.d/10-listen-on-ipv6-by-default.sh"
    ipv6
    say "Sourcing /docker-entrypoint.d/15-local-resolvers.envsh"
    say "Launching /docker-entrypoint.d/20-envsubst-on-templates.sh"
    templates
    say "Launching /docker-entrypoint.d/30-tune-worker-processes.sh"
    for f in $(find /docker-entrypoint.d -type f 2>/dev/null | sort); do
        case "$f" in
            *.envsh) say "Sourcing $f"; . "$f" ;;
            *.sh) if [ -x "$f" ]; then say "Launching $f"; "$f"; else say "Ignoring $f, not executable"; fi ;;
            *) say "Ignoring $f" ;;
        esac
    done
    say "Configuration complete; ready for start up"
fi
exec "$@"
