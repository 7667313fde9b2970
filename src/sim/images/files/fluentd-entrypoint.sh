#!/bin/sh
case "$1" in -*) set -- fluentd "$@" ;; esac
if [ "$1" = fluentd ]; then
    case " $* " in *" -c "*|*" --config "*) ;; *) set -- "$@" --config "/fluentd/etc/${FLUENTD_CONF:-fluent.conf}" ;; esac
fi
exec "$@"
